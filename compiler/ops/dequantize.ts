import type { Operator } from "./operator.js";
import { known } from "./shapes.js";

/**
 * q [...], scale [] or [K] for the first axis, and a zero point of q's type and the scale's shape, 0 where it is left out, to
 * (q - zero point) * scale.
 */
export const dequantize: Operator = {
  name: "dequantize",
  doc: "What whole numbers of a scale stand for.",
  infer: ([q, scale]) => [{ dtype: known(scale).dtype, shape: known(q).shape }],
  label: () => "dequantize",
  lower(node, emit) {
    const inputs = node.inputs.map((input) => emit.name(input));
    const perChannel = known(node.inputs[1]?.type).shape.length === 1;
    emit.node("DequantizeLinear", inputs, [emit.name(node.outputs[0]!)], perChannel ? { axis: 0 } : {});
  },
  gradient: "none",
};
