/**
 * Scaling as Pillow does it, to the bit: networks were trained on images that Pillow scaled, and other resizers
 * differ from it by several levels in places. An antialiased, separable filter in fixed point, 8 bits between passes.
 */
import type { Image } from "./image.js";
import { across, down, type Weights } from "./kernel/passes.js";

export type Interpolation = "nearest" | "bilinear" | "bicubic";

/** A rectangle of pixels. */
export interface Window {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/**
 * Scales an image to `width` x `height` and gives the part of it in `window`, computing only that part.
 *
 * @param window lies inside the scaled image; default all of it
 * @param mirrored left and right of the window are exchanged
 */
export function resample(
  image: Image,
  width: number,
  height: number,
  interpolation: Interpolation,
  window: Window = { left: 0, top: 0, width, height },
  mirrored = false,
): Image {
  if (interpolation === "nearest") return pickNearest(image, width, height, window, mirrored);
  const filter = FILTERS[interpolation];
  const inOrder = weights(image.width, width, window.left, window.width, filter);
  const columns = mirrored ? fromTheRight(inOrder) : inOrder;
  const lines = weights(image.height, height, window.top, window.height, filter);
  // Only rows that the second pass reads are made in the first.
  const firstRow = lines.first[0]!;
  const lastRow = lines.first.at(-1)! + lines.count.at(-1)!;
  const rows = {
    data: image.data.subarray(firstRow * image.width * 3),
    width: image.width,
    height: lastRow - firstRow,
  };
  const narrow = width === image.width && !mirrored ? cutColumns(rows, window) : scaleColumns(rows, columns);
  return height === image.height
    ? cutRows(narrow, window.top - firstRow, window.height)
    : scaleRows(narrow, lines, firstRow);
}

interface Filter {
  /** Where the curve ends, in pixels of the smaller image. */
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

/** The same pixels, the last of them first. */
function fromTheRight({ first, count, values, stride }: Weights): Weights {
  const reversed = new Int32Array(values.length);
  for (let i = 0; i < first.length; i++) {
    reversed.set(values.subarray(i * stride, (i + 1) * stride), values.length - (i + 1) * stride);
  }
  return { first: first.toReversed(), count: count.toReversed(), values: reversed, stride };
}

function scaleColumns({ data, width, height }: Image, weights: Weights): Image {
  const rows = data.subarray(0, width * height * 3);
  return { width: weights.first.length, height, data: across(rows, width * 3, weights) };
}

/** @param top the row of the source at which `image` begins */
function scaleRows({ data, width, height }: Image, weights: Weights, top: number): Image {
  const rows = data.subarray(0, width * height * 3);
  return { width, height: weights.first.length, data: down(rows, width * 3, weights, top) };
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

function pickNearest(image: Image, width: number, height: number, window: Window, mirrored: boolean): Image {
  const inOrder = nearest(image.width, width, window.left, window.width);
  const across = mirrored ? inOrder.toReversed() : inOrder;
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
