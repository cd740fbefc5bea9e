/** From what was seen of a value to the range that its 8-bit numbers reach over. */
import type { Range } from "../../compiler/quantization/scale.js";
import { edge, type Histogram } from "./histogram.js";

/**
 * `minmax`: all that was seen. `percentile`: all but the outermost 0.01 %. `entropy`: the cut whose 8-bit numbers are distributed
 * most like the value itself (Kullback-Leibler divergence; Migacz, "8-bit inference with TensorRT", GTC 2017).
 */
export type CalibrationMethod = "minmax" | "percentile" | "entropy";

/** Share of the numbers that `percentile` cuts off, at both ends together. */
const CUT_OFF = 1e-4;

/** Of the methods that look at histograms. */
export const FROM_HISTOGRAM: Readonly<Record<Exclude<CalibrationMethod, "minmax">, (seen: Histogram) => Range>> = {
  percentile,
  entropy,
};

function percentile(seen: Histogram): Range {
  const { range, counts } = seen;
  const total = counts.reduce((sum, each) => sum + each, 0);
  // What has one end at 0 is cut at the other alone: a ReLU gives as many zeros as there are.
  const sides = (range.min < 0 ? 1 : 0) + (range.max > 0 ? 1 : 0);
  const most = (CUT_OFF / Math.max(1, sides)) * total;
  let [low, high] = [0, counts.length];
  if (range.min < 0) for (let gone = counts[low]!; gone <= most && low < high - 1; gone += counts[++low]!);
  if (range.max > 0) for (let gone = counts[high - 1]!; gone <= most && high > low + 1; gone += counts[--high - 1]!);
  return { min: edge(seen, low), max: edge(seen, high) };
}

/** Numbers that a magnitude has: of values of both signs each sign has half of them. */
const LEVELS = { one: 255, both: 127 } as const;

function entropy(seen: Histogram): Range {
  const { min, max } = seen.range;
  const most = Math.max(-min, max);
  if (!(most > 0)) return seen.range;
  const counts = magnitudes(seen);
  const levels = min < 0 && max > 0 ? LEVELS.both : LEVELS.one;
  const cut = (most * likestCut(counts, levels)) / counts.length;
  return { min: Math.max(min, -cut), max: Math.min(max, cut) };
}

/** The same counts by distance from 0. */
function magnitudes(seen: Histogram): Float64Array {
  const { counts, range } = seen;
  const most = Math.max(-range.min, range.max);
  const folded = new Float64Array(counts.length);
  counts.forEach((each, bin) => {
    const middle = (edge(seen, bin) + edge(seen, bin + 1)) / 2;
    const at = Math.min(counts.length - 1, Math.floor((Math.abs(middle) / most) * counts.length));
    folded[at] = folded[at]! + each;
  });
  return folded;
}

/** Number of bins up to the best cut. */
function likestCut(counts: Float64Array, levels: number): number {
  // Zeros are exact whatever the scale is: they say nothing of it, and are half of what a ReLU gives.
  const numbers = counts.slice();
  numbers[0] = 0;
  let beyond = numbers.reduce((sum, each) => sum + each, 0);
  if (beyond === 0) return counts.length;
  for (let bin = 0; bin < levels; bin++) beyond -= numbers[bin]!;
  let best = counts.length;
  let least = Infinity;
  for (let cut = levels; cut <= numbers.length; cut++) {
    const divergence = divergenceAt(numbers, cut, Math.max(0, beyond), levels);
    if (divergence < least) [least, best] = [divergence, cut];
    beyond -= numbers[cut] ?? 0;
  }
  return best;
}

/** Of the numbers up to a cut, where those beyond it count as the last, from what `levels` equal steps leave of them. */
function divergenceAt(numbers: Float64Array, cut: number, beyond: number, levels: number): number {
  let total = beyond;
  for (let bin = 0; bin < cut; bin++) total += numbers[bin]!;
  let divergence = 0;
  let kept = 0;
  for (let level = 0; level < levels; level++) {
    const [from, to] = [Math.floor((level * cut) / levels), Math.floor(((level + 1) * cut) / levels)];
    let sum = 0;
    let filled = 0;
    for (let bin = from; bin < to; bin++) {
      sum += numbers[bin]!;
      if (numbers[bin]! > 0) filled += 1;
    }
    if (filled === 0) continue;
    kept += sum;
    for (let bin = from; bin < to; bin++) {
      const own = numbers[bin]! + (bin === cut - 1 ? beyond : 0);
      if (numbers[bin]! > 0) divergence += (own / total) * Math.log(own / total / (sum / filled));
    }
  }
  // An empty last bin that takes what is beyond has nothing to be compared with: such a cut is none.
  if (beyond > 0 && numbers[cut - 1] === 0) return Infinity;
  return kept > 0 ? divergence + Math.log(kept) : Infinity;
}
