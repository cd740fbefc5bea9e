/**
 * Scaling as Pillow does it, to the bit: networks were trained on pictures that Pillow scaled, and other resizers
 * differ from it by several levels in places. An antialiased, separable filter in fixed point, 8 bits between passes.
 */
import type { Image } from "./image.js";

export type Interpolation = "nearest" | "bilinear" | "bicubic";

/** A rectangle of pixels. */
export interface Window {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/**
 * Scales a picture to `width` x `height` and gives the part of it in `window`, computing only that part.
 *
 * @param window lies inside the scaled picture; default all of it
 */
export function resample(
  image: Image,
  width: number,
  height: number,
  interpolation: Interpolation,
  window: Window = { left: 0, top: 0, width, height },
): Image {
  if (interpolation === "nearest") return pickNearest(image, width, height, window);
  const filter = FILTERS[interpolation];
  const across = weights(image.width, width, window.left, window.width, filter);
  const down = weights(image.height, height, window.top, window.height, filter);
  // Only rows that the second pass reads are made in the first.
  const firstRow = down.first[0]!;
  const lastRow = down.first.at(-1)! + down.count.at(-1)!;
  const rows = {
    data: image.data.subarray(firstRow * image.width * 3),
    width: image.width,
    height: lastRow - firstRow,
  };
  const narrow = width === image.width ? cutColumns(rows, window) : scaleColumns(rows, across);
  return height === image.height
    ? cutRows(narrow, window.top - firstRow, window.height)
    : scaleRows(narrow, down, firstRow);
}

interface Filter {
  /** Where the curve ends, in pixels of the smaller picture. */
  readonly support: number;
  readonly curve: (x: number) => number;
}

const FILTERS: Readonly<Record<Exclude<Interpolation, "nearest">, Filter>> = {
  bilinear: { support: 1, curve: (x) => Math.max(0, 1 - Math.abs(x)) },
  bicubic: { support: 2, curve: bicubic },
};

/** Keys' cubic with a = -1/2. */
function bicubic(x: number): number {
  const a = -0.5;
  const t = Math.abs(x);
  if (t < 1) return ((a + 2) * t - (a + 3)) * t * t + 1;
  if (t < 2) return (((t - 5) * t + 8) * t - 4) * a;
  return 0;
}

/** For each pixel of the result, the source pixels it is made of and their weights in fixed point. */
interface Weights {
  readonly first: Int32Array;
  readonly count: Int32Array;
  /** `stride` weights a pixel, of which `count` are in use. */
  readonly values: Int32Array;
  readonly stride: number;
}

/** Bits after the binary point: 8 bits of value and 2 to spare for the sum stay below 2^31. */
const PRECISION = 32 - 8 - 2;

function weights(from: number, to: number, start: number, length: number, filter: Filter): Weights {
  const scale = from / to;
  // Scaled down, the filter is widened, so that every source pixel counts: that is the antialiasing.
  const widen = Math.max(scale, 1);
  const support = filter.support * widen;
  const stride = Math.ceil(support) * 2 + 1;
  const first = new Int32Array(length);
  const count = new Int32Array(length);
  const values = new Int32Array(length * stride);
  const exact = new Float64Array(stride);
  for (let i = 0; i < length; i++) {
    const center = (start + i + 0.5) * scale;
    const low = Math.max(0, Math.trunc(center - support + 0.5));
    const high = Math.min(from, Math.trunc(center + support + 0.5));
    let sum = 0;
    for (let k = 0; k < high - low; k++) {
      exact[k] = filter.curve((k + low - center + 0.5) * (1 / widen));
      sum += exact[k]!;
    }
    for (let k = 0; k < high - low; k++) {
      const weight = sum === 0 ? exact[k]! : exact[k]! / sum;
      values[i * stride + k] = Math.trunc(weight * 2 ** PRECISION + (weight < 0 ? -0.5 : 0.5));
    }
    first[i] = low;
    count[i] = high - low;
  }
  return { first, count, values, stride };
}

const HALF = 1 << (PRECISION - 1);

function toByte(sum: number): number {
  const value = sum >> PRECISION;
  return value < 0 ? 0 : value > 255 ? 255 : value;
}

// Sums stay in 32 bits, which `| 0` tells the engine: it is what makes these loops fast.

function scaleColumns(image: Image, { first, count, values, stride }: Weights): Image {
  const width = first.length;
  const { data, height } = image;
  const out = new Uint8Array(width * height * 3);
  for (let y = 0, at = 0; y < height; y++) {
    const row = y * image.width * 3;
    for (let x = 0; x < width; x++, at += 3) {
      let red = HALF;
      let green = HALF;
      let blue = HALF;
      const end = x * stride + count[x]!;
      for (let k = x * stride, from = row + first[x]! * 3; k < end; k++, from += 3) {
        const weight = values[k]!;
        red = (red + Math.imul(data[from]!, weight)) | 0;
        green = (green + Math.imul(data[from + 1]!, weight)) | 0;
        blue = (blue + Math.imul(data[from + 2]!, weight)) | 0;
      }
      out[at] = toByte(red);
      out[at + 1] = toByte(green);
      out[at + 2] = toByte(blue);
    }
  }
  return { width, height, data: out };
}

/** @param top the row of the source at which `image` begins */
function scaleRows(image: Image, { first, count, values, stride }: Weights, top: number): Image {
  const height = first.length;
  const { data, width } = image;
  const row = width * 3;
  const out = new Uint8Array(row * height);
  const sums = new Int32Array(row);
  for (let y = 0; y < height; y++) {
    sums.fill(HALF);
    // Source row by source row: memory is read in the order in which it lies.
    for (let k = 0; k < count[y]!; k++) {
      const weight = values[y * stride + k]!;
      const from = (first[y]! - top + k) * row;
      for (let x = 0; x < row; x++) sums[x]! += Math.imul(data[from + x]!, weight);
    }
    for (let x = 0, at = y * row; x < row; x++, at++) out[at] = toByte(sums[x]!);
  }
  return { width, height, data: out };
}

/** The part of a picture in a window, which lies inside of it. */
export function crop(image: Image, window: Window): Image {
  return cutRows(cutColumns(image, window), window.top, window.height);
}

function cutColumns(image: Image, { left, width }: Window): Image {
  if (left === 0 && width === image.width) return image;
  const data = new Uint8Array(width * image.height * 3);
  for (let y = 0; y < image.height; y++) {
    const from = (y * image.width + left) * 3;
    data.set(image.data.subarray(from, from + width * 3), y * width * 3);
  }
  return { width, height: image.height, data };
}

function cutRows(image: Image, top: number, height: number): Image {
  const row = image.width * 3;
  return { width: image.width, height, data: image.data.slice(top * row, (top + height) * row) };
}

function pickNearest(image: Image, width: number, height: number, window: Window): Image {
  const across = nearest(image.width, width, window.left, window.width);
  const down = nearest(image.height, height, window.top, window.height);
  const data = new Uint8Array(window.width * window.height * 3);
  let at = 0;
  for (const y of down) {
    for (const x of across) {
      const from = (y * image.width + x) * 3;
      data[at++] = image.data[from]!;
      data[at++] = image.data[from + 1]!;
      data[at++] = image.data[from + 2]!;
    }
  }
  return { width: window.width, height: window.height, data };
}

/** Source positions of the pixels; summed up step by step, as Pillow does, so that rounding goes the same way. */
function nearest(from: number, to: number, start: number, length: number): Int32Array {
  const step = from / to;
  const positions = new Int32Array(length);
  for (let i = 0, at = step * 0.5; i < start + length; i++, at += step) {
    if (i >= start) positions[i - start] = Math.min(from - 1, Math.trunc(at));
  }
  return positions;
}
