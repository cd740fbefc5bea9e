import { equalDims, formatShape, type Dim } from "../ir/dim.js";
import type { TensorType } from "../ir/types.js";
import { formula } from "./formula.js";
import { lowerChain, remedy, requireBranches } from "./merges.js";
import { ShapeError, type Operator } from "./operator.js";
import { difference, reshaped } from "./shapes.js";

/** Product of tensors of one shape, or with sizes of 1 in some: 1x1 scales whole channels, one channel all of them. */
export const multiply: Operator = {
  name: "multiply",
  doc: "Product of the branches, broadcast over channels, height and width.",
  quantized: "mixes",
  layer: { arguments: {}, merges: true },
  elementwise: true,
  infer(inputs) {
    return [requireBranches(inputs, "multiply").reduce(broadcast)];
  },
  label: () => "multiply",
  lower: (node, emit) => lowerChain("Mul", node, emit),
  gradient(node, [dy], builder) {
    if (dy === undefined) return [];
    const f = formula(builder);
    return node.inputs.map((x, index) => {
      const others = node.inputs.filter((_, other) => other !== index);
      return f.sumTo(
        others.reduce((product, other) => f.times(product, other), dy),
        x.type.shape,
      );
    });
  },
};

function broadcast(a: TensorType, b: TensorType): TensorType {
  const stretched = (from: readonly Dim[], to: readonly Dim[]): readonly Dim[] =>
    from.map((dim, axis) => (axis > 0 && equalDims(dim, 1) ? (to[axis] ?? dim) : dim));
  const [left, right] = [stretched(a.shape, b.shape), stretched(b.shape, a.shape)];
  const differs = difference(left, right);
  if (differs === undefined) return reshaped(a, left);
  throw new ShapeError(
    `multiplies ${formatShape(a.shape)} by ${formatShape(b.shape)}: ${differs}`,
    remedy(left, right),
  );
}
