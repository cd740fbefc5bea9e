/** How often the numbers of a value are where. */
import type { Range } from "../../compiler/quantization/scale.js";

export interface Histogram {
  readonly range: Range;
  /** Between the ends of the range, in equal steps. */
  readonly counts: Float64Array;
}

const BINS = 2048;

export function histogram(range: Range): Histogram {
  return { range, counts: new Float64Array(BINS) };
}

/** Numbers outside of the range count at its ends. */
export function count({ range: { min, max }, counts }: Histogram, values: Float32Array): void {
  const perUnit = max > min ? counts.length / (max - min) : 0;
  const last = counts.length - 1;
  for (const value of values) {
    const bin = Math.min(last, Math.max(0, Math.floor((value - min) * perUnit)));
    counts[bin] = counts[bin]! + 1;
  }
}

/** Where a bin begins. */
export function edge({ range: { min, max }, counts }: Histogram, bin: number): number {
  return min + ((max - min) * bin) / counts.length;
}
