import { TRANSFORM_WORDS } from "../../../compiler/words/transforms.js";
import { ImageError } from "../image.js";
import type { Size } from "../crops.js";
import type { Interpolation } from "../resample.js";
import { scaleShorter } from "../crops.js";
import { frameSize, resizeFrame, type Frame } from "./frame.js";
import { BYTES, geometry } from "./transform.js";

/** More than this is not scaled to: an image of 10000x8 would have 400 million pixels at a shorter side of 640. */
const MAX_SCALED_PIXELS = 100_000_000;

/** Scaled so that the shorter side has a length; the longer side in proportion, rounded down. */
export function shorterTo(frame: Frame, shorter: number, filter: Interpolation): Frame {
  const before = frameSize(frame);
  const [height, width] = scaleShorter(before, shorter);
  if (height * width > MAX_SCALED_PIXELS || height < 1 || width < 1) {
    throw new ImageError(`${before[1]}x${before[0]} is too long: scaled it would be ${width}x${height}`);
  }
  return resizeFrame(frame, [height, width], filter);
}

export function sizeByShorter(shorter: number, before: Size | undefined): Size | undefined {
  return before && scaleShorter(before, shorter);
}

export const resizeShorter = geometry(TRANSFORM_WORDS.resize_shorter, {
  takes: BYTES,
  size: ({ length }, before) => sizeByShorter(length, before),
  apply: (frame, { length, interpolation }) => shorterTo(frame, length, interpolation),
});

export const resize = geometry(TRANSFORM_WORDS.resize, {
  takes: BYTES,
  size: ({ size }) => size,
  apply: (frame, { size, interpolation }) => resizeFrame(frame, size, interpolation),
});
