import { isUnknown, type Dim } from "../ir/dim.js";

/** Values in a tensor of this shape for one image: the batch counts once, regions as many as there are of an image. */
export function valuesPerImage(shape: readonly Dim[], size: (dim: Dim) => number): number {
  const [rows, ...rest] = shape;
  const first = rows !== undefined && isUnknown(rows) ? size(rows) : 1;
  return rest.reduce<number>((total, dim) => total * size(dim), first);
}

/** The same without the regions: of one row. */
export function valuesPerRow(shape: readonly Dim[], size: (dim: Dim) => number): number {
  return shape.slice(1).reduce<number>((total, dim) => total * size(dim), 1);
}
