/** Filters as the blocked convolutions read them, from weights [O, C, kh, kw] that change in every step. */
import type { Steps } from "./steps.js";

export interface FilterShape {
  readonly out: number;
  readonly channels: number;
  /** kh * kw */
  readonly taps: number;
  readonly block: number;
}

/** [O / block][C / block][taps][block of C][block of O]; with fewer channels than a block [O / block][C][taps][block of O]. */
export function writeFilter(weight: string, { out, channels, taps, block }: FilterShape, s: Steps): string {
  const blocks = blocksOf(weight, out, channels * taps, block, s);
  if (channels < block || taps === 1) return blocks;
  return s.rearrange(blocks, [out / block, channels / block, block, taps, block], [0, 1, 3, 2, 4]);
}

/** Filters of the input's gradient, channels exchanged: [C / block][O / block][taps][block of O][block of C]. */
export function writeExchangedFilter(weight: string, { out, channels, taps, block }: FilterShape, s: Steps): string {
  const blocks = taps === 1 ? weight : blocksOf(weight, out * channels, taps, block, s);
  return s.rearrange(blocks, [out / block, block, channels / block, taps, block], [2, 0, 3, 1, 4]);
}

/** [rows, each] to [rows / block][each][block], as ReorderInput makes them of channels: with all threads. */
function blocksOf(weight: string, rows: number, each: number, block: number, s: Steps): string {
  return s.blocked("ReorderInput", [s.reshape(weight, [rows / block, block, each, 1])]);
}

/** The first filters tap by tap: [taps][O / block][C / block][block of C][block of O]. */
export function writeTaps(weight: string, { out, channels, taps, block }: FilterShape, s: Steps): string {
  const blocks = blocksOf(weight, out, channels * taps, block, s);
  return s.rearrange(blocks, [out / block, channels, taps, block], [2, 0, 1, 3]);
}

/** The exchanged ones tap by tap: [taps][C / block][O / block][block of O][block of C]. */
export function writeExchangedTaps(weight: string, { out, channels, taps, block }: FilterShape, s: Steps): string {
  const blocks = blocksOf(weight, out * channels, taps, block, s);
  return s.rearrange(blocks, [out, channels / block, taps, block], [2, 1, 0, 3]);
}

/** Some taps of an exchanged filter, in this order. */
export function pickTaps(
  filter: string,
  { out, channels, taps, block }: FilterShape,
  picked: readonly number[],
  s: Steps,
): string {
  if (taps === 1) return filter;
  const shape = [(out / block) * (channels / block), taps, block * block];
  return s.onnx("Gather", [s.reshape(filter, shape), s.vector(picked)], { axis: 1 });
}
