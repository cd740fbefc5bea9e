import { formula } from "./formula.js";
import { lowerChain, requireBranches, requireSame } from "./merges.js";
import type { Operator } from "./operator.js";

/** Elementwise mean of tensors of one shape: what several networks say together. */
export const average: Operator = {
  name: "average",
  doc: "Elementwise mean of the branches.",
  layer: { arguments: {}, merges: true },
  elementwise: true,
  infer(inputs) {
    const branches = requireBranches(inputs, "average");
    requireSame(branches, (shape, other) => `averages ${shape} and ${other}`);
    return [branches[0]];
  },
  label: () => "mean",
  lower(node, emit) {
    const sum = emit.temporary("sum");
    lowerChain("Add", node, { ...emit, name: (value) => (value === node.outputs[0] ? sum : emit.name(value)) });
    const share = emit.constant([1 / node.inputs.length], node.outputs[0]!.type.dtype, []);
    emit.node("Mul", [sum, share], [emit.name(node.outputs[0]!)]);
  },
  gradient(node, [dy], builder) {
    if (dy === undefined) return [];
    const share = formula(builder).affine(dy, 1 / node.inputs.length);
    return node.inputs.map(() => share);
  },
};
