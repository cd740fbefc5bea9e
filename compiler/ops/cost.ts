import type { Dim } from "../ir/dim.js";

/** Values in a tensor of this shape for one image: the batch counts once. */
export function valuesPerImage(shape: readonly Dim[], size: (dim: Dim) => number): number {
  return shape.slice(1).reduce<number>((total, dim) => total * size(dim), 1);
}
