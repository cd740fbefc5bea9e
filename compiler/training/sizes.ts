/** Sizes of training graphs, which are all numbers, of networks that take images of any size. */
import { formatDim, isSymbolic } from "../ir/dim.js";
import type { Model } from "../model.js";

/** What the names of sizes that a network leaves open stand for, with images of this height and width: `{ H: 480, W: 640 }`. */
export function sizesFor(
  model: Model,
  size: readonly [height: number, width: number] | undefined,
): Readonly<Record<string, number>> {
  const image = model.graph.inputs[0]!.value.type.shape;
  const sizes: Record<string, number> = {};
  size?.forEach((length, axis) => {
    const dim = image[2 + axis]!;
    if (isSymbolic(dim)) sizes[formatDim(dim)] = length;
  });
  return sizes;
}
