import { lowerChain, requireBranches, requireSame } from "./merges.js";
import type { Operator } from "./operator.js";

/** Elementwise maximum of tensors of one shape (maxout). */
export const maximum: Operator = {
  name: "maximum",
  doc: "Elementwise maximum of the branches (maxout).",
  layer: { arguments: [], merges: true },
  infer(inputs) {
    const branches = requireBranches(inputs, "maximum");
    requireSame(branches, (shape, other) => `takes the maximum of ${shape} and ${other}`);
    return [branches[0]];
  },
  label: () => "max",
  lower: (node, emit) => lowerChain("Max", node, emit),
};
