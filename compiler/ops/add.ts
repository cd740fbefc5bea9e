import { lowerChain, requireBranches, requireSame } from "./merges.js";
import type { Operator } from "./operator.js";

/** Sum of tensors of one shape. */
export const add: Operator = {
  name: "add",
  doc: "Sum of the branches.",
  quantized: "mixes",
  layer: { arguments: {}, merges: true },
  elementwise: true,
  infer(inputs) {
    const branches = requireBranches(inputs, "add");
    requireSame(branches, (shape, other) => `adds ${other} to ${shape}`);
    return [branches[0]];
  },
  label: () => "add",
  lower: (node, emit) => lowerChain("Add", node, emit),
  gradient: (node, [dy]) => node.inputs.map(() => dy),
};
