import { formula } from "./formula.js";
import { lowerChain, requireBranches, requireSame } from "./merges.js";
import type { Operator } from "./operator.js";

/** Elementwise maximum of tensors of one shape (maxout). */
export const maximum: Operator = {
  name: "maximum",
  doc: "Elementwise maximum of the branches (maxout).",
  layer: { arguments: {}, merges: true },
  elementwise: true,
  infer(inputs) {
    const branches = requireBranches(inputs, "maximum");
    requireSame(branches, (shape, other) => `takes the maximum of ${shape} and ${other}`);
    return [branches[0]];
  },
  label: () => "max",
  lower: (node, emit) => lowerChain("Max", node, emit),
  // Where several are the maximum they share its gradient, as torch.maximum does for two.
  gradient(node, [dy], builder) {
    if (dy === undefined) return [];
    const f = formula(builder);
    const [y] = node.outputs;
    const wins = node.inputs.map((x) => f.complement(f.less(x, y!)));
    const share = f.over(
      dy,
      wins.reduce((a, b) => f.plus(a, b)),
    );
    return wins.map((win) => f.times(win, share));
  },
};
