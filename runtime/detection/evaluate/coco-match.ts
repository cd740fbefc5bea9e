/** Which detections of an image find which objects: COCO's greedy matching (cocoeval.py, `evaluateImg`). */
import { areaOf, boxOf, type Mask } from "../../data/masks/mask.js";
import { maskOf } from "../../data/masks/outline.js";
import { overlapOf } from "../../data/masks/overlap.js";
import type { Box, Detection, GroundTruth } from "../../data/objects.js";

/** What a detection counts as. */
export const OUTCOME = { wrong: 0, right: 1, ignored: 2 } as const;

/** Least and greatest area, both inclusive, in square pixels. */
export type AreaRange = readonly [least: number, greatest: number];

/** What detections and objects are compared by: boxes, or the masks that all of them have. */
export type IouType = "boxes" | "masks";

/** Of detections and objects of an image. */
export interface Measures {
  /**
   * Intersection over union of each detection with each object, and for a crowd intersection over the detection's own area,
   * since a crowd has room for many (maskApi.c, `bbIou` and `rleIou`): [detections, objects].
   */
  readonly overlaps: Float64Array;
  /** Of each detection, in square pixels. */
  readonly areas: Float64Array;
}

export function measure(detections: readonly Detection[], objects: readonly GroundTruth[], iouType: IouType): Measures {
  if (iouType === "boxes") {
    const areas = Float64Array.from(detections, ({ box }) => box[2] * box[3]);
    return { areas, overlaps: pairs(detections, objects, (d, g) => overlap(d.box, g.box, g.isCrowd)) };
  }
  const found = detections.map(shaped);
  const wanted = objects.map((object) => ({ ...shaped(object), isCrowd: object.isCrowd }));
  return {
    areas: Float64Array.from(found, ({ mask }) => areaOf(mask)),
    overlaps: pairs(found, wanted, (d, g) => maskOverlap(d, g, g.isCrowd)),
  };
}

function pairs<D, G>(detections: readonly D[], objects: readonly G[], of: (d: D, g: G) => number): Float64Array {
  const out = new Float64Array(detections.length * objects.length);
  let at = 0;
  for (const detection of detections) for (const object of objects) out[at++] = of(detection, object);
  return out;
}

interface Shaped {
  readonly mask: Mask;
  /** Round the mask. */
  readonly box: Box;
}

function shaped({ mask }: Pick<Detection, "mask">): Shaped {
  const pixels = maskOf(mask!);
  return { mask: pixels, box: boxOf(pixels) };
}

/** 0 where the image is known in two sizes: nothing is found there, which is warned of (mask-sizes.ts). */
function maskOverlap(d: Shaped, g: Shaped, isCrowd: boolean): number {
  const isOneSize = d.mask.width === g.mask.width && d.mask.height === g.mask.height;
  return isOneSize && overlap(d.box, g.box, false) > 0 ? overlapOf(d.mask, g.mask, isCrowd) : 0;
}

function overlap(d: Box, g: Box, isCrowd: boolean): number {
  const width = Math.min(d[2] + d[0], g[2] + g[0]) - Math.max(d[0], g[0]);
  if (width <= 0) return 0;
  const height = Math.min(d[3] + d[1], g[3] + g[1]) - Math.max(d[1], g[1]);
  if (height <= 0) return 0;
  const common = width * height;
  const own = d[2] * d[3];
  return common / (isCrowd ? own : own + g[2] * g[3] - common);
}

/** An image's detections, by descending score, and objects of one category, with an area range to judge them in. */
export interface Encounter extends Measures {
  readonly objects: readonly GroundTruth[];
  readonly range: AreaRange;
}

/** How many objects a detector is asked for. */
export function countWanted(objects: readonly GroundTruth[], range: AreaRange): number {
  return objects.reduce((count, object) => count + (isIgnored(object, range) ? 0 : 1), 0);
}

/**
 * Each detection, by descending score, takes the object with which it overlaps most, at least by the threshold; of equals the
 * later one. An object is taken once, a crowd as often as it comes. Objects that are ignored (crowds, and those outside
 * the range) are taken only where no other can be. A detection that took an ignored object is ignored, and so is one
 * outside the range that took none.
 *
 * An object with id 0 is taken and yet the detection counts as if it took none: pycocotools marks what a detection
 * took by the object's id, and 0 means nothing there.
 *
 * @param outcomes [detections, thresholds], of which those from detection `start` on are written: what each counts as
 */
export function match(
  { areas, objects, overlaps, range }: Encounter,
  thresholds: readonly number[],
  outcomes: Uint8Array,
  start: number,
): void {
  const outside = Array.from(areas, (area) => area < range[0] || area > range[1]);
  if (objects.length === 0) {
    outside.forEach((isOut, d) => {
      const outcome = isOut ? OUTCOME.ignored : OUTCOME.wrong;
      outcomes.fill(outcome, (start + d) * thresholds.length, (start + d + 1) * thresholds.length);
    });
    return;
  }

  const ignored = objects.map((object) => isIgnored(object, range));
  const places = objects.map((_, index) => index);
  const wanted = places.filter((index) => !ignored[index]);
  const spare = places.filter((index) => ignored[index]);
  const taken = new Uint8Array(objects.length);

  const best = (detection: number, candidates: readonly number[], threshold: number): number => {
    let found = -1;
    let greatest = threshold;
    for (const index of candidates) {
      if (taken[index] === 1 && !objects[index]!.isCrowd) continue;
      const value = overlaps[detection * objects.length + index]!;
      if (value < greatest) continue;
      greatest = value;
      found = index;
    }
    return found;
  };

  thresholds.forEach((threshold, t) => {
    taken.fill(0);
    // A perfect overlap may be a hair below 1 after rounding.
    const least = Math.min(threshold, 1 - 1e-10);
    outside.forEach((isOut, d) => {
      let found = best(d, wanted, least);
      if (found === -1) found = best(d, spare, least);
      if (found !== -1) taken[found] = 1;
      const isFound = found !== -1 && objects[found]!.id !== 0;
      const isLeftOut = (found !== -1 && ignored[found]!) || (!isFound && isOut);
      outcomes[(start + d) * thresholds.length + t] = isLeftOut
        ? OUTCOME.ignored
        : isFound
          ? OUTCOME.right
          : OUTCOME.wrong;
    });
  });
}

function isIgnored(object: GroundTruth, [least, greatest]: AreaRange): boolean {
  return object.isCrowd || object.area < least || object.area > greatest;
}
