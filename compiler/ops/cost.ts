import { isUnknown, type Dim } from "../ir/dim.js";

/** Values in a tensor of this shape for one image: the batch counts once, regions as many as there are of an image. */
export function valuesPerImage(shape: readonly Dim[], size: (dim: Dim) => number): number {
  const [rows] = shape;
  return (rows !== undefined && isUnknown(rows) ? size(rows) : 1) * valuesPerRow(shape, size);
}

/** The same of one row: of an image, or of a region. */
export function valuesPerRow(shape: readonly Dim[], size: (dim: Dim) => number): number {
  return shape.slice(1).reduce<number>((total, dim) => total * size(dim), 1);
}
