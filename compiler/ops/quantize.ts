import type { Operator } from "./operator.js";
import { known } from "./shapes.js";

/** x [...], scale [], zero point [] of the type that comes out, to round(x / scale) + zero point, cut off at its ends. */
export const quantize: Operator = {
  name: "quantize",
  doc: "Numbers as whole ones of a scale.",
  infer: ([x, , zeroPoint]) => [{ dtype: known(zeroPoint).dtype, shape: known(x).shape }],
  label: () => "quantize",
  lower(node, emit) {
    const inputs = node.inputs.map((input) => emit.name(input));
    emit.node("QuantizeLinear", inputs, [emit.name(node.outputs[0]!)]);
  },
  gradient: "none",
};
