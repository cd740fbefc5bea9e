/** What the merges of branches share. */
import { equalDims, formatShape, type Dim } from "../ir/dim.js";
import type { TensorType } from "../ir/types.js";
import type { Lowering } from "./lowering.js";
import { ShapeError, type Node } from "./operator.js";
import { difference } from "./shapes.js";

/** Throws a ShapeError unless there are two branches or more. */
export function requireBranches(inputs: readonly TensorType[], merge: string): readonly [TensorType, ...TensorType[]] {
  if (inputs.length < 2) throw new ShapeError(`${merge} needs two branches or more, got ${inputs.length}`);
  return inputs as unknown as readonly [TensorType, ...TensorType[]];
}

/**
 * Throws a ShapeError that names both shapes and where they differ, for the first branch unlike the one before it.
 * `phrase` puts the two shapes in the field's words.
 */
export function requireSame(
  inputs: readonly [TensorType, ...TensorType[]],
  phrase: (shape: string, other: string) => string,
  ignoredAxis?: number,
): void {
  const [first, ...others] = inputs;
  for (const other of others) {
    const differs = difference(first.shape, other.shape, ignoredAxis);
    if (differs !== undefined) {
      throw new ShapeError(
        `${phrase(formatShape(first.shape), formatShape(other.shape))}: ${differs}`,
        remedy(first.shape, other.shape, ignoredAxis),
      );
    }
  }
}

/** Writes a chain of a binary ONNX operator: every device has those, not all have the ones of many inputs. */
export function lowerChain(onnx: string, node: Node, emit: Lowering): void {
  const [first, ...others] = node.inputs.map((input) => emit.name(input));
  others.reduce((left, right, index) => {
    const last = index === others.length - 1;
    const output = last ? emit.name(node.outputs[0]!) : emit.temporary(`part${index + 1}`);
    emit.node(onnx, [left, right], [output]);
    return output;
  }, first!);
}

/** What makes branches fit, by the axes in which they differ. */
export function remedy(a: readonly Dim[], b: readonly Dim[], ignoredAxis?: number): string | undefined {
  if (a.length !== b.length)
    return "`global_avg_pool   conv 1x1, channels` keeps a map, where `flatten` and `fc` don't";
  if (a.length !== 4) return undefined;
  const differ = a.map((dim, axis) => axis !== ignoredAxis && !equalDims(dim, b[axis]!));
  if (differ[0]) return "both have to be of the same images or regions: take up the flow `on` the same tensor";
  if (!differ[2] && !differ[3])
    return `a projection, \`conv 1x1, ${largest(a[1], b[1])}   bn\`, on the other branch gives both as many`;
  const stride = strideBetween(a, b);
  if (stride !== undefined && differ[1]) {
    return `a projection, \`conv 1x1, channels, /${stride}   bn\`, on the larger branch makes the shapes equal`;
  }
  const sizes = "`resize_like other` gives a branch another map's height and width, `crop_like other` cuts them";
  return stride === undefined
    ? `${sizes}; a layer that loses a few rows can \`pad\` more`
    : `${sizes}; so does a stride, \`/${stride}\``;
}

function largest(a: Dim | undefined, b: Dim | undefined): string {
  return typeof a === "number" && typeof b === "number" ? String(Math.max(a, b)) : "channels";
}

/** How many times larger one map is than the other, in both directions; undefined where no stride makes them equal. */
function strideBetween(a: readonly Dim[], b: readonly Dim[]): number | undefined {
  const [rows, columns] = [2, 3].map((axis) => {
    const [one, other] = [a[axis], b[axis]];
    if (typeof one !== "number" || typeof other !== "number") return undefined;
    const ratio = Math.max(one, other) / Math.min(one, other);
    return Number.isInteger(ratio) && one > other === a[2]! > b[2]! ? ratio : undefined;
  });
  return rows === columns && rows !== 1 && rows! <= 8 ? rows : undefined;
}
