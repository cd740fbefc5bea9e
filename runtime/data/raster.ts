/** Pixels in memory, as the transforms pass them on. */
import type { Image } from "../images/image.js";

/** What the numbers of a raster mean. */
export type Content =
  /** 0 to 255, as decoded. */
  | "bytes"
  /** Black is 0 and white is 1, in floating point; values may lie a little outside. */
  | "colour"
  /** Something was subtracted: zero is the mean. */
  | "normalized";

/** Red, green and blue of each pixel, row by row. Nobody changes a raster that somebody else made. */
export interface Raster {
  readonly width: number;
  readonly height: number;
  /** Bytes for the content "bytes", floats for the others. */
  readonly data: Uint8Array | Float32Array;
}

/** The raster in floating point, black 0 and white 1; of its own, to be changed. */
export function toColour({ width, height, data }: Raster): Raster & { readonly data: Float32Array } {
  return { width, height, data: data instanceof Uint8Array ? scaleBytes(data, 1) : data.slice() };
}

/** level / 255 * range, rounded to fp32 after each operation, as PyTorch computes it. */
export function scaleBytes(bytes: Uint8Array, range: number): Float32Array {
  const table = Float32Array.from({ length: 256 }, (_, level) => Math.fround(level / 255) * range);
  const out = new Float32Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) out[i] = table[bytes[i]!]!;
  return out;
}

/** Writes the raster channel by channel, as a network reads it; bytes become 0 to 1. */
export function writePlanes({ width, height, data }: Raster, out: Float32Array): void {
  const pixels = width * height;
  const unit = data instanceof Uint8Array ? 255 : 1;
  for (let i = 0, from = 0; i < pixels; i++, from += 3) {
    out[i] = data[from]! / unit;
    out[i + pixels] = data[from + 1]! / unit;
    out[i + 2 * pixels] = data[from + 2]! / unit;
  }
}

/** Bytes alone can be scaled: Pillow's arithmetic, which networks were trained with, is defined on them. */
export function asImage({ width, height, data }: Raster): Image {
  if (!(data instanceof Uint8Array)) throw new TypeError("only bytes are scaled");
  return { width, height, data };
}
