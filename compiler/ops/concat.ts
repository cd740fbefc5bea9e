import { requireBranches, requireSame } from "./merges.js";
import type { Operator } from "./operator.js";
import { channelsOf, reshaped } from "./shapes.js";

const CHANNELS = 1;

/** Tensors one after the other along the channels; everything else has to be equal. */
export const concat: Operator = {
  name: "concat",
  doc: "The branches, one after the other along the channels.",
  quantized: "mixes",
  layer: { arguments: {}, merges: true },
  infer(inputs) {
    const branches = requireBranches(inputs, "concat");
    requireSame(branches, (shape, other) => `concatenates ${shape} and ${other} along the channels`, CHANNELS);
    const [batch, , ...rest] = branches[0].shape;
    const channels = branches.reduce((total, branch) => total + channelsOf(branch, "concat"), 0);
    return [reshaped(branches[0], [batch!, channels, ...rest])];
  },
  label: () => "concat",
  lower(node, emit) {
    const inputs = node.inputs.map((input) => emit.name(input));
    emit.node("Concat", inputs, [emit.name(node.outputs[0]!)], { axis: CHANNELS });
  },
  gradient(node, [dy], builder) {
    if (dy === undefined) return [];
    let from = 0;
    return node.inputs.map((x) => {
      const to = from + channelsOf(x.type, "concat");
      const [part] = builder.apply("slice_channels", [dy], { from, to });
      from = to;
      return part;
    });
  },
};
