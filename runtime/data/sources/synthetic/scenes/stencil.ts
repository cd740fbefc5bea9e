/** A shape that is to be painted somewhere. */
import { fill } from "../fill.js";
import type { Point } from "../outlines.js";

export interface Stencil {
  /** Place of the square in the image; it may reach beyond. */
  readonly left: number;
  readonly top: number;
  /** Of the square in pixels. */
  readonly side: number;
  /** How much of each pixel of the square is inside, 0 to 1: [side, side]. */
  readonly coverage: Float32Array;
}

export function stencil(lines: readonly (readonly Point[])[]): Stencil {
  const xs = lines.flatMap((line) => line.map(([x]) => x));
  const ys = lines.flatMap((line) => line.map(([, y]) => y));
  const [left, top] = [Math.floor(Math.min(...xs)), Math.floor(Math.min(...ys))];
  const side = Math.ceil(Math.max(Math.max(...xs) - left, Math.max(...ys) - top));
  const coverage = new Float32Array(side * side);
  fill(
    lines.map((line) => line.map(([x, y]): Point => [x - left, y - top])),
    side,
    coverage,
  );
  return { left, top, side, coverage };
}
