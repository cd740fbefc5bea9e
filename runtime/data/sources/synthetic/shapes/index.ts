/** The data set that needs no download: ten shapes, drawn from a seed. */
import type { DataSet, LabelledSplit, Split } from "../../../data-set.js";
import { DataError } from "../../../../data-error.js";
import { SIDE } from "./draw.js";
import { OUTLINES } from "../outlines.js";
import { shapeLabel } from "./sample.js";

/** Which shapes are drawn, and how many. */
export interface ShapesOptions {
  /** Default 1. Another seed gives other images. */
  readonly seed?: number;
  /** Images of each part. Default 8000, 2000, 2000. */
  readonly train?: number;
  readonly validation?: number;
  readonly test?: number;
}

const MAX_IMAGES = 100_000_000;

/** @throws {DataError} where a part has no image */
export function openShapes({
  seed = 1,
  train = 8000,
  validation = 2000,
  test = 2000,
}: ShapesOptions = {}): DataSet<LabelledSplit> {
  const split = (name: Split["name"], size: number): LabelledSplit => {
    if (!Number.isInteger(size) || size < 1 || size > MAX_IMAGES) {
      throw new DataError(`shapes: ${name} must have from 1 to ${MAX_IMAGES} images, not ${size}`);
    }
    return {
      name,
      size,
      label: shapeLabel,
      reference: (index) => ({ kind: "shapes", split: name, seed, index }),
      imageSize: [SIDE, SIDE],
      isLight: true,
    };
  };
  return {
    name: "shapes",
    classes: OUTLINES.map((outline) => outline.name),
    inputShape: [3, SIDE, SIDE],
    train: split("train", train),
    validation: split("validation", validation),
    test: split("test", test),
    warnings: [],
  };
}
