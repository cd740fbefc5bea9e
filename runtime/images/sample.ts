/**
 * Scaling by sampling between the pixels: each value of the result is a mean of the four pixels round its place,
 * whatever the scale, as OpenCV and PyTorch do it. No antialiasing: scaled down, pixels are jumped over.
 */
import type { Image } from "./image.js";

/** For each place along a side of the result, the pixel before it, and the share that the pixel behind it has. */
export interface Places {
  readonly before: Int32Array;
  readonly share: Float32Array;
}

/** Some of the places, one after the other, the last of them first where they are mirrored. */
export function somePlaces({ before, share }: Places, start: number, count: number, mirrored = false): Places {
  const [some, shares] = [before.slice(start, start + count), share.slice(start, start + count)];
  return mirrored ? { before: some.reverse(), share: shares.reverse() } : { before: some, share: shares };
}

/** The first pixel's middle lies at 0; what lies before it or behind the last one is moved there. */
function places(from: number, to: number, at: (index: number) => number): Places {
  const before = new Int32Array(to);
  const share = new Float32Array(to);
  for (let i = 0; i < to; i++) {
    const place = Math.max(0, Math.min(from - 1, at(i)));
    before[i] = Math.min(Math.max(0, from - 2), Math.floor(place));
    share[i] = place - before[i]!;
  }
  return { before, share };
}

/** PyTorch's: by the ratio of the sizes, computed in single precision. */
export function placesByRatio(from: number, to: number): Places {
  const step = Math.fround(from / to);
  return places(from, to, (index) => Math.fround(Math.fround(step * (index + 0.5)) - 0.5));
}

/** OpenCV's: by the scale that was asked for, which the rounded size has only nearly. */
export function placesByScale(from: number, to: number, scale: number): Places {
  const step = 1 / scale;
  return places(from, to, (index) => Math.fround((index + 0.5) * step - 0.5));
}

/**
 * Samples the image.
 *
 * @returns values from 0 to 1, [height, width, 3]
 */
export function sample(image: Image, rows: Places, columns: Places): Float32Array {
  const [height, width] = [rows.before.length, 3 * columns.before.length];
  const data = new Float32Array(height * width);
  // A row of the image is scaled across once, though several rows of the result are made of it.
  let [above, below] = [new Float32Array(width), new Float32Array(width)];
  let [aboveIs, belowIs] = [-1, -1];
  for (let y = 0; y < height; y++) {
    const first = rows.before[y]!;
    const second = Math.min(image.height - 1, first + 1);
    if (first === belowIs) [above, below, aboveIs, belowIs] = [below, above, belowIs, aboveIs];
    if (first !== aboveIs) acrossRow(image, first, columns, above);
    if (second !== belowIs) acrossRow(image, second, columns, below);
    [aboveIs, belowIs] = [first, second];
    mix(above, below, rows.share[y]!, data.subarray(y * width, (y + 1) * width));
  }
  return data;
}

/** A row of pixels becomes a row of levels. */
function acrossRow({ data, width }: Image, row: number, { before, share }: Places, out: Float32Array): void {
  const start = row * width * 3;
  const next = width > 1 ? 3 : 0;
  for (let x = 0, to = 0; x < before.length; x++, to += 3) {
    const at = start + before[x]! * 3;
    const part = share[x]!;
    const [red, green, blue] = [data[at]!, data[at + 1]!, data[at + 2]!];
    out[to] = red + (data[at + next]! - red) * part;
    out[to + 1] = green + (data[at + next + 1]! - green) * part;
    out[to + 2] = blue + (data[at + next + 2]! - blue) * part;
  }
}

function mix(above: Float32Array, below: Float32Array, share: number, out: Float32Array): void {
  for (let x = 0; x < out.length; x++) {
    const level = above[x]!;
    out[x] = (level + (below[x]! - level) * share) / 255;
  }
}
