/** `segmentation` of COCO's files: outlines, or runs of pixels as a list or as a short text. */
import { DataError } from "../../../data-error.js";
import { lengthOf, type ObjectMask } from "../../masks/outline.js";
import { maskOfRuns, readMask, writeMask } from "../../masks/text.js";
import { shown } from "../annotated/problems.js";
import { isAbsent, type Place } from "./fields.js";

type Size = readonly [height: number, width: number];

/** Of an image with masks: numbers of 32 bits count its pixels. */
const MOST_PIXELS = 2 ** 31;
/** Pixels along the outlines of an object; those of COCO have thousands at most. Following them takes time and memory. */
const MOST_LENGTH = 2_000_000;

/**
 * @param size of the image, where it is known
 * @returns undefined where there is none: absent, null or an empty list
 * @throws {DataError} through `at`
 */
export function readSegmentation(value: unknown, size: Size | undefined, at: Place): ObjectMask | undefined {
  if (isAbsent(value) || (Array.isArray(value) && value.length === 0)) return undefined;
  if (Array.isArray(value)) return readOutlines(value, size, at);
  const { size: own, counts } = at.object(value);
  if (!isSize(own)) return at.fail(`"size" of "segmentation" must be height and width, not ${shown(own)}`);
  checkPixels(own, at);
  if (size && (size[0] !== own[0] || size[1] !== own[1])) {
    at.fail(`"segmentation" is of an image of ${own[1]} x ${own[0]} pixels, and this has ${size[1]} x ${size[0]}`);
  }
  const [height, width] = own;
  return located(at, () => {
    if (typeof counts === "string") {
      const text = { size: own, counts };
      readMask(text);
      return text;
    }
    const isRun = (run: unknown): boolean => Number.isSafeInteger(run) && (run as number) >= 0;
    if (Array.isArray(counts) && counts.every(isRun)) return writeMask(maskOfRuns(counts as number[], width, height));
    throw new DataError(`"counts" must be a text or a list of whole numbers, not ${shown(counts)}`);
  });
}

function located<T>(at: Place, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    return at.fail(`"segmentation" ${error.message}`);
  }
}

function isSize(value: unknown): value is Size {
  return Array.isArray(value) && value.length === 2 && value.every((side) => Number.isSafeInteger(side) && side > 0);
}

function checkPixels([height, width]: Size, at: Place): void {
  if (height * width >= MOST_PIXELS) at.fail(`an image of ${width} x ${height} pixels is too large for masks`);
}

function readOutlines(values: readonly unknown[], size: Size | undefined, at: Place): ObjectMask {
  if (size === undefined) return at.fail('"segmentation" is outlines, and their image has no "width" and "height"');
  checkPixels(size, at);
  const polygons = values.map((polygon) => {
    const isOutline =
      Array.isArray(polygon) &&
      polygon.length >= 6 &&
      polygon.length % 2 === 0 &&
      polygon.every((each) => Number.isFinite(each));
    if (!isOutline) {
      at.fail(`"segmentation" must have x and y of three corners or more for each part, not ${shown(polygon)}`);
    }
    return polygon as readonly number[];
  });
  const length = polygons.reduce((sum, polygon) => sum + lengthOf(polygon), 0);
  if (!(length <= MOST_LENGTH)) at.fail(`"segmentation" has outlines of more than ${MOST_LENGTH} pixels`);
  return { size, polygons };
}
