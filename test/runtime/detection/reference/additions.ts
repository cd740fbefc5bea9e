/** What the ResNet paper adds to the detector (appendix B): refinement, voting, global context, testing at many scales. */
import { area, iou, scale, type Box, type Info, type One } from "./boxes.js";
import { deltaOf } from "./maps.js";
import { paperBox } from "./paper.js";
import type { Detection } from "./scored.js";

/**
 * The regions of the second pass, in the tensor's pixels: each region's box of its likeliest class, as it would be
 * detected in the image's own pixels. The paper says only that 300 regions give 300 new ones.
 */
export function refined(
  regions: readonly Box[],
  probabilities: readonly (readonly number[])[],
  offsets: readonly ArrayLike<number>[],
  info: Info,
): Box[] {
  return regions.map((region, row) => {
    const classes = probabilities[row]!.slice(1);
    const likeliest = classes.indexOf(Math.max(...classes));
    return scale(paperBox(region, deltaOf(offsets[row]!, likeliest + 1), info), info.scaleY, info.scaleX);
  });
}

export interface Voting {
  readonly threshold: number;
  readonly offset: number;
  readonly one: One;
}

/**
 * Box voting (Gidaris and Komodakis, section 5): each kept box becomes the mean of all candidates of its class that
 * overlap it by the threshold or more, itself among them, each weighted by max(0, score + offset). Scores stay.
 */
export function voted(
  kept: readonly Detection[],
  candidates: readonly Detection[],
  { threshold = 0.5, offset = 0, one = 1 }: Partial<Voting> = {},
): Detection[] {
  return kept.map((found) => {
    const voters = candidates
      .filter(({ label, box }) => label === found.label && iou(box, found.box, one) >= threshold)
      .map(({ box, score }) => ({ box, weight: Math.max(0, score + offset) }));
    const sum = voters.reduce((all, { weight }) => all + weight, 0);
    const mean = (i: 0 | 1 | 2 | 3) => voters.reduce((all, { box, weight }) => all + weight * box[i], 0) / sum;
    return sum > 0 ? { ...found, box: [mean(0), mean(1), mean(2), mean(3)] } : found;
  });
}

/** The region of global context: all of the image, in the tensor's pixels. */
export function wholeImage({ height, width }: Info, one: One): Box {
  return [0, 0, width - one, height - one];
}

/**
 * The two adjacent scales of an image pyramid that a region is pooled from. The first is where its area is nearest to
 * 224 x 224 pixels (lib/fast_rcnn/test.py), the first of two as near; the second lies beyond those pixels, if it does,
 * else before them, and at an end of the pyramid it is the only neighbour. `factors` rise.
 */
export function adjacentScales(region: Box, factors: readonly number[], one: One): [first: number, second: number] {
  const pixels = factors.map((factor) => area(region, one) * factor ** 2);
  const distances = pixels.map((count) => Math.abs(count - 224 ** 2));
  const first = distances.indexOf(Math.min(...distances));
  const other = pixels[first]! > 224 ** 2 ? first - 1 : first + 1;
  return [first, other < 0 ? 1 : other === factors.length ? first - 1 : other];
}

/** Element by element. */
export function maxout(a: readonly number[], b: readonly number[]): number[] {
  return a.map((value, i) => Math.max(value, b[i]!));
}
