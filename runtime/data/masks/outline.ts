/** Outlines, as COCO's annotations have most objects, to masks: pixel by pixel as pycocotools (maskApi.c, `rleFrPoly`). */
import type { Mask } from "./mask.js";
import { union } from "./overlap.js";
import { readMask, type MaskText } from "./text.js";

/** An object of one or several parts, each x, y of three corners or more, in pixels of an image of this size. */
export interface Outline {
  readonly size: readonly [height: number, width: number];
  readonly polygons: readonly (readonly number[])[];
}

/** A mask as a file of annotations has it. */
export type ObjectMask = MaskText | Outline;

/**
 * Its pixels.
 *
 * @throws {DataError} where a text is no mask
 */
export function maskOf(mask: ObjectMask): Mask {
  if (!("polygons" in mask)) return readMask(mask);
  const [height, width] = mask.size;
  return union(mask.polygons.map((polygon) => filled(polygon, width, height)));
}

/** Outlines are followed in fifths of a pixel. */
const FINE = 5;

/** How far the corners of an outline are from one another, along the side on which that is more: pixels in all. */
export function lengthOf(polygon: readonly number[]): number {
  let length = 0;
  for (let i = 0; i < polygon.length; i += 2) {
    const next = (i + 2) % polygon.length;
    length += Math.max(Math.abs(polygon[i]! - polygon[next]!), Math.abs(polygon[i + 1]! - polygon[next + 1]!));
  }
  return length;
}

/** Where the outline goes from one column to the next, the pixels below it change from outside to inside or back. */
function filled(polygon: readonly number[], width: number, height: number): Mask {
  const changes: number[] = [];
  let [lastX, lastY] = [NaN, NaN];
  const visit = (x: number, y: number): void => {
    if (x !== lastX && !Number.isNaN(lastX)) {
      const column = ((x < lastX ? x : x - 1) + 0.5) / FINE - 0.5;
      if (Number.isInteger(column) && column >= 0 && column <= width - 1) {
        const row = Math.ceil(Math.max(0, Math.min(height, (Math.min(y, lastY) + 0.5) / FINE - 0.5)));
        changes.push(column * height + row);
      }
    }
    [lastX, lastY] = [x, y];
  };
  const fine = (at: number): number => Math.trunc(FINE * polygon[at % polygon.length]! + 0.5);
  for (let i = 0; i < polygon.length; i += 2) eachPoint(fine(i), fine(i + 1), fine(i + 2), fine(i + 3), visit);
  return { width, height, runs: runsBetween(changes, width * height) };
}

/**
 * The points of a line from its start to its end, both among them. Their places are computed from the end with the smaller
 * coordinate, whichever way the line goes.
 */
function eachPoint(x1: number, y1: number, x2: number, y2: number, visit: (x: number, y: number) => void): void {
  const [dx, dy] = [Math.abs(x2 - x1), Math.abs(y2 - y1)];
  if (dx === 0 && dy === 0) return;
  const isFlat = dx >= dy;
  const isBack = isFlat ? x1 > x2 : y1 > y2;
  const [fromX, fromY, toX, toY] = isBack ? [x2, y2, x1, y1] : [x1, y1, x2, y2];
  const slope = isFlat ? (toY - fromY) / dx : (toX - fromX) / dy;
  const length = isFlat ? dx : dy;
  for (let step = 0; step <= length; step++) {
    const at = isBack ? length - step : step;
    if (isFlat) visit(fromX + at, Math.trunc(fromY + slope * at + 0.5));
    else visit(Math.trunc(fromX + slope * at + 0.5), fromY + at);
  }
}

/** Two changes in one place are none. */
function runsBetween(changes: readonly number[], pixels: number): Uint32Array {
  const places = Float64Array.from([...changes, pixels]).sort();
  const runs: number[] = [];
  let [last, isJoined] = [0, false];
  places.forEach((place, index) => {
    const length = place - last;
    last = place;
    if (isJoined) {
      runs[runs.length - 1]! += length;
      isJoined = false;
    } else if (length > 0 || index === 0) {
      runs.push(length);
    } else {
      isJoined = true;
    }
  });
  return Uint32Array.from(runs);
}
