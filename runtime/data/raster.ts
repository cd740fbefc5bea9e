/** Pixels in memory, as the transforms pass them on. */
import type { Image } from "../images/image.js";

/** What the numbers of a raster mean. */
export type Content =
  /** Levels from 0 to 255, as decoded. */
  | "bytes"
  /** Black is 0 and white is 1, in floating point; values may lie a little outside. */
  | "colour"
  /** Something was subtracted: zero is the mean. */
  | "normalized";

/** Red, green and blue of each pixel, row by row. Nobody changes a raster that somebody else made. */
export interface Raster {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array | Float32Array;
  /**
   * Of bytes: the value that each level of each channel stands for, [256, 3]. Absent: level / 255. What treats all
   * pixels alike is done to these 768 numbers instead of to the pixels.
   */
  readonly curve?: Float32Array;
}

/** The values in floating point, [height, width, 3]: the caller's own. */
export function valuesOf({ data, curve }: Raster): Float32Array {
  if (!(data instanceof Uint8Array)) return data.slice();
  const out = new Float32Array(data.length);
  const levels = curve ?? UNIT;
  for (let i = 0; i < data.length; i += 3) {
    out[i] = levels[data[i]! * 3]!;
    out[i + 1] = levels[data[i + 1]! * 3 + 1]!;
    out[i + 2] = levels[data[i + 2]! * 3 + 2]!;
  }
  return out;
}

/** Every value changed by a function of itself and of its channel (0 red, 1 green, 2 blue). */
export function mapValues(raster: Raster, change: (value: number, channel: number) => number): Raster {
  const { width, height, data, curve } = raster;
  if (data instanceof Uint8Array) {
    // From the exact quotient where there is no rounded one yet.
    const before = (i: number) => (curve ? curve[i]! : Math.floor(i / 3) / 255);
    return { width, height, data, curve: Float32Array.from({ length: 768 }, (_, i) => change(before(i), i % 3)) };
  }
  const out = new Float32Array(data.length);
  for (let i = 0; i < out.length; i += 3) {
    out[i] = change(data[i]!, 0);
    out[i + 1] = change(data[i + 1]!, 1);
    out[i + 2] = change(data[i + 2]!, 2);
  }
  return { width, height, data: out };
}

/** Red and blue exchanged. */
export function swapRedAndBlue({ data, curve, ...size }: Raster): Raster {
  return { ...size, data: swapped(data), ...(curve && { curve: swapped(curve) }) };
}

function swapped<T extends Uint8Array | Float32Array>(triples: T): T {
  // Not `slice`: that of a Node buffer, which decoders give, is no copy.
  const out = triples instanceof Uint8Array ? new Uint8Array(triples) : new Float32Array(triples);
  for (let i = 0; i < out.length; i += 3) {
    out[i] = triples[i + 2]!;
    out[i + 2] = triples[i]!;
  }
  return out as T;
}

/** Writes the values channel by channel, as a network reads them. */
export function writePlanes({ width, height, data, curve }: Raster, out: Float32Array): void {
  const pixels = width * height;
  const [red, green, blue] = [0, 1, 2].map((channel) => out.subarray(channel * pixels, (channel + 1) * pixels));
  if (data instanceof Uint8Array) {
    const levels = curve ?? UNIT;
    for (let i = 0, from = 0; i < pixels; i++, from += 3) {
      red![i] = levels[data[from]! * 3]!;
      green![i] = levels[data[from + 1]! * 3 + 1]!;
      blue![i] = levels[data[from + 2]! * 3 + 2]!;
    }
  } else {
    for (let i = 0, from = 0; i < pixels; i++, from += 3) {
      red![i] = data[from]!;
      green![i] = data[from + 1]!;
      blue![i] = data[from + 2]!;
    }
  }
}

/** Black 0, white 1. */
const UNIT = Float32Array.from({ length: 768 }, (_, i) => Math.floor(i / 3) / 255);

/** Bytes alone can be scaled: Pillow's arithmetic, which networks were trained with, is defined on them. */
export function asImage({ width, height, data, curve }: Raster): Image {
  if (!(data instanceof Uint8Array) || curve) throw new TypeError("only bytes are scaled");
  return { width, height, data };
}
