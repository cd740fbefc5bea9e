/** Images, the objects in them, and what a detector found. Plain data. */
import type { Box } from "../images/box.js";
import type { ObjectMask } from "./masks/outline.js";

export type { Box };

/** An image of a data set, as its annotations describe it. */
export interface AnnotatedImage {
  readonly id: number;
  /** The id as the annotations have it, where their ids are texts. */
  readonly textId?: string;
  /** As the annotations name it: relative to a folder of images, or as another machine had it. */
  readonly file: string;
  /** Name, without ending, that the image has by the annotations' own: PASCAL VOC's XML files are called as their images. */
  readonly stem?: string;
  /** Where it is annotated, for messages, if not in the one file for all. */
  readonly source?: string;
  /** In pixels, where the annotations say it. */
  readonly width?: number;
  readonly height?: number;
}

/** A kind of object. */
export interface Category {
  readonly id: number;
  /** The id as the annotations have it, where their ids are texts. */
  readonly textId?: string;
  readonly name: string;
}

/** An object that is known to be there. */
export interface GroundTruth {
  readonly id: number;
  /** Id of the image. */
  readonly image: number;
  /** Id of the category. */
  readonly category: number;
  readonly box: Box;
  /** Of the object's outline where it has one, otherwise of the box; in pixels. */
  readonly area: number;
  /** The object's pixels, where they are known and were asked for. */
  readonly mask?: ObjectMask;
  /** The box is round a group of objects that nobody told apart. */
  readonly isCrowd: boolean;
  /** PASCAL VOC: hard to see, and neither asked for nor counted against a detector. */
  readonly isDifficult: boolean;
}

/** An object that a detector says is there. */
export interface Detection {
  readonly image: number;
  readonly category: number;
  readonly box: Box;
  /** How sure the detector is; any finite number, greater is surer. */
  readonly score: number;
  /** The object's pixels, where the detector finds masks. */
  readonly mask?: ObjectMask;
}

/** Images with the objects in them. Ids are unique, and every object's image and category are listed. */
export interface Annotations {
  readonly images: readonly AnnotatedImage[];
  readonly categories: readonly Category[];
  readonly objects: readonly GroundTruth[];
  /** What was seen while reading and may be a mistake: one line each. */
  readonly warnings: readonly string[];
}

/**
 * From corners that name the box's first and last pixel (PASCAL VOC's files, the first Faster R-CNN's boxes).
 *
 * @param first number of the first pixel: 1 in VOC's files, 0 in Faster R-CNN's memory
 */
export function fromInclusiveCorners(x1: number, y1: number, x2: number, y2: number, first: 0 | 1): Box {
  return [x1 - first, y1 - first, x2 - x1 + 1, y2 - y1 + 1];
}
