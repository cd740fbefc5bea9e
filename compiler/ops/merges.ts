/** What the merges of branches share. */
import { formatShape, type Dim } from "../ir/dim.js";
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
        remedy(first.shape, other.shape),
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

function remedy(a: readonly Dim[], b: readonly Dim[]): string | undefined {
  if (a.length !== 4 || b.length !== 4) return undefined;
  return "a projection (`conv 1x1, channels, /stride   bn`) on one branch makes the shapes equal";
}
