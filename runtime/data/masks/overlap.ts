/** Two masks of one size, run by run. */
import { areaOf, Runs, type Mask } from "./mask.js";

/** Calls with the lengths over which neither changes. */
function eachPair(a: Mask, b: Mask, visit: (inA: boolean, inB: boolean, length: number) => void): void {
  let [atA, atB] = [0, 0];
  let [leftA, leftB] = [a.runs[0] ?? 0, b.runs[0] ?? 0];
  while (atA < a.runs.length && atB < b.runs.length) {
    const length = Math.min(leftA, leftB);
    if (length > 0) visit(atA % 2 === 1, atB % 2 === 1, length);
    leftA -= length;
    leftB -= length;
    if (leftA === 0) leftA = a.runs[++atA] ?? 0;
    if (leftB === 0) leftB = b.runs[++atB] ?? 0;
  }
}

/** The pixels that are of one of them at least; of masks of one size, one or more. */
export function union(masks: readonly Mask[]): Mask {
  if (masks.length === 1) return masks[0]!;
  const half = Math.ceil(masks.length / 2);
  const [first, second] = [union(masks.slice(0, half)), union(masks.slice(half))];
  const runs = new Runs();
  eachPair(first, second, (inFirst, inSecond, length) => runs.add(inFirst || inSecond, length));
  return { width: first.width, height: first.height, runs: runs.finish() };
}

/**
 * Intersection over union; with a crowd, which has room for many, over the first one's own area (maskApi.c, `rleIou`).
 *
 * @throws {RangeError} where they are of different sizes
 */
export function overlapOf(mask: Mask, other: Mask, isCrowd: boolean): number {
  if (mask.width !== other.width || mask.height !== other.height) {
    throw new RangeError(
      `masks of ${mask.width} x ${mask.height} and ${other.width} x ${other.height} can't be compared`,
    );
  }
  let [common, either] = [0, 0];
  eachPair(mask, other, (inMask, inOther, length) => {
    if (inMask && inOther) common += length;
    if (inMask || inOther) either += length;
  });
  return common === 0 ? 0 : common / (isCrowd ? areaOf(mask) : either);
}
