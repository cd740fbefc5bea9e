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
  const edges = edgesOf(lines);
  const crossings = new Float64Array(edges.length / 4);
  const [top, bottom] = extent(edges, side);
  for (let step = top * STEPS; step < bottom * STEPS; step++) {
    const count = crossingsAt((step + 0.5) / STEPS, edges, crossings);
    const row = Math.floor(step / STEPS) * side;
    for (let i = 0; i + 1 < count; i += 2) addSpan(coverage, row, side, crossings[i]!, crossings[i + 1]!);
  }
}

/** Both ends of every edge: x, y, x, y. */
function edgesOf(lines: readonly (readonly Point[])[]): Float64Array {
  const edges = new Float64Array(4 * lines.reduce((sum, line) => sum + line.length, 0));
  let at = 0;
  for (const line of lines) {
    for (let i = 0; i < line.length; i++, at += 4) {
      edges.set(line[(i || line.length) - 1]!, at);
      edges.set(line[i]!, at + 2);
    }
  }
  return edges;
}

/** Where the edges cross a height, in order. */
function crossingsAt(y: number, edges: Float64Array, crossings: Float64Array): number {
  let count = 0;
  for (let i = 0; i < edges.length; i += 4) {
    const y0 = edges[i + 1]!;
    const y1 = edges[i + 3]!;
    if (y0 <= y === y1 <= y) continue;
    const x0 = edges[i]!;
    const x = x0 + ((y - y0) * (edges[i + 2]! - x0)) / (y1 - y0);
    // Sorted as they come: there are few.
    let place = count++;
    for (; place > 0 && crossings[place - 1]! > x; place--) crossings[place] = crossings[place - 1]!;
    crossings[place] = x;
  }
  return count;
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

function extent(edges: Float64Array, side: number): [top: number, bottom: number] {
  let top = side;
  let bottom = 0;
  for (let i = 1; i < edges.length; i += 2) {
    top = Math.min(top, edges[i]!);
    bottom = Math.max(bottom, edges[i]!);
  }
  return [Math.max(0, Math.floor(top)), Math.min(side, Math.ceil(bottom))];
}
