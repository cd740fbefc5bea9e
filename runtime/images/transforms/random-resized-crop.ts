import { TRANSFORM_WORDS } from "../../../compiler/words/transforms.js";
import { exponential, logarithm, type Random } from "../../random.js";
import type { Size } from "../image.js";
import type { Window } from "../resample.js";
import { cropFrame, frameSize, resizeFrame } from "./frame.js";
import { BYTES, geometry } from "./transform.js";

export const randomResizedCrop = geometry(TRANSFORM_WORDS.random_resized_crop, {
  // As such networks are tested: the middle seven eighths.
  deterministic: ({ size, interpolation }) => [
    { kind: "resize_shorter", length: Math.round((Math.max(...size) * 8) / 7), interpolation },
    { kind: "center_crop", size },
  ],
  takes: BYTES,
  size: ({ size }) => size,
  apply(frame, { size, scale, ratio, interpolation }, random) {
    return resizeFrame(cropFrame(frame, drawWindow(frameSize(frame), scale, ratio, random)), size, interpolation);
  },
});

const TRIES = 10;

function drawWindow([height, width]: Size, scale: Interval, ratio: Interval, random: Random): Window {
  for (let tries = 0; tries < TRIES; tries++) {
    const [partWidth, partHeight] = drawPart(height * width, scale, ratio, random);
    if (partWidth < 1 || partHeight < 1 || partWidth > width || partHeight > height) continue;
    const top = Math.floor(random() * (height - partHeight + 1));
    const left = Math.floor(random() * (width - partWidth + 1));
    return { left, top, width: partWidth, height: partHeight };
  }
  return largestInMiddle([height, width], ratio);
}

/**
 * Two sides of a part in pixels: its share of an area is drawn from `scale`, first side by second from `ratio`, evenly on a
 * logarithmic scale.
 */
export function drawPart(whole: number, scale: Interval, ratio: Interval, random: Random): readonly [number, number] {
  const area = whole * between(scale, random());
  const proportion = exponential(between([logarithm(ratio[0]), logarithm(ratio[1])], random()));
  return [Math.round(Math.sqrt(area * proportion)), Math.round(Math.sqrt(area / proportion))];
}

/** What is taken where no try fitted: all of the image, or of its middle if the image is too long for `ratio`. */
export function largestInMiddle([height, width]: Size, [narrowest, widest]: Interval): Window {
  const proportion = width / height;
  const partWidth = proportion > widest ? Math.max(1, Math.round(height * widest)) : width;
  const partHeight = proportion < narrowest ? Math.max(1, Math.round(width / narrowest)) : height;
  return {
    left: Math.floor((width - partWidth) / 2),
    top: Math.floor((height - partHeight) / 2),
    width: partWidth,
    height: partHeight,
  };
}

type Interval = readonly [low: number, high: number];

function between([low, high]: Interval, share: number): number {
  return low + (high - low) * share;
}
