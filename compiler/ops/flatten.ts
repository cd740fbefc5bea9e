import { mul, type Dim } from "../ir/dim.js";
import { formula, sizes } from "./formula.js";
import type { Operator } from "./operator.js";
import { known, reshaped } from "./shapes.js";

/** [N, C, H, W] to [N, C*H*W]. */
export const flatten: Operator = {
  name: "flatten",
  doc: "Channels, height and width as one dimension.",
  layer: { arguments: {} },
  infer([x]) {
    const [batch, ...sizes] = known(x).shape;
    return [reshaped(x, [batch!, sizes.reduce<Dim>(mul, 1)])];
  },
  label: () => "flatten",
  lower: (node, emit) => emit.node("Flatten", [emit.name(node.inputs[0]!)], [emit.name(node.outputs[0]!)], { axis: 1 }),
  gradient: (node, [dy], builder) => (dy === undefined ? [] : [formula(builder).reshape(dy, sizes(node.inputs[0]!))]),
};
