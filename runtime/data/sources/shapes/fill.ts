/** Polygons on a square grid of pixels. */
import type { Point } from "./outlines.js";

/** Rows that each row of pixels is divided into: the steps of the coverage from top to bottom. */
const STEPS = 4;

/**
 * How much of each pixel is inside.
 *
 * @param side of the grid in pixels
 * @param coverage 0 to 1, [side, side]; overwritten
 */
export function fill(lines: readonly (readonly Point[])[], side: number, coverage: Float32Array): void {
  coverage.fill(0);
  const crossings: number[] = [];
  const [top, bottom] = extent(lines, side);
  for (let step = top * STEPS; step < bottom * STEPS; step++) {
    const y = (step + 0.5) / STEPS;
    crossings.length = 0;
    for (const line of lines) {
      let [x0, y0] = line[line.length - 1]!;
      for (const [x1, y1] of line) {
        if (y0 <= y !== y1 <= y) crossings.push(x0 + ((y - y0) * (x1 - x0)) / (y1 - y0));
        [x0, y0] = [x1, y1];
      }
    }
    crossings.sort((a, b) => a - b);
    const row = Math.floor(step / STEPS) * side;
    for (let i = 0; i + 1 < crossings.length; i += 2) addSpan(coverage, row, side, crossings[i]!, crossings[i + 1]!);
  }
}

/** Adds a piece of one of a pixel row's steps. */
function addSpan(coverage: Float32Array, row: number, side: number, from: number, to: number): void {
  const left = Math.max(0, from);
  const right = Math.min(side, to);
  for (let x = Math.floor(left); x < right; x++) {
    const part = Math.min(right, x + 1) - Math.max(left, x);
    coverage[row + x] = coverage[row + x]! + part / STEPS;
  }
}

function extent(lines: readonly (readonly Point[])[], side: number): [top: number, bottom: number] {
  let top = side;
  let bottom = 0;
  for (const line of lines) {
    for (const [, y] of line) {
      top = Math.min(top, y);
      bottom = Math.max(bottom, y);
    }
  }
  return [Math.max(0, Math.floor(top)), Math.min(side, Math.ceil(bottom))];
}
