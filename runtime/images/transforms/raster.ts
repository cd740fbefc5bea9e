/** Pixels in memory, as the transforms pass them on. */
import type { Image, Size } from "../image.js";

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
   * Of bytes: the value that each level of each channel stands for, [3, 256]. Absent: level / 255. What treats all
   * pixels alike is done to these 768 numbers instead of to the pixels.
   */
  readonly curve?: Float32Array;
}

/** The values in floating point, [height, width, 3]: the caller's own. */
export function valuesOf({ data, curve = UNIT }: Raster): Float32Array {
  if (!(data instanceof Uint8Array)) return data.slice();
  const out = new Float32Array(data.length);
  for (let i = 0; i < data.length; i += 3) {
    out[i] = curve[data[i]!]!;
    out[i + 1] = curve[256 + data[i + 1]!]!;
    out[i + 2] = curve[512 + data[i + 2]!]!;
  }
  return out;
}

/**
 * Every value changed by a function of itself.
 *
 * @param of gives each channel's (0 red, 1 green, 2 blue): one function for all is several times as slow
 */
export function mapValues(raster: Raster, of: (channel: number) => (value: number) => number): Raster {
  const { width, height, data, curve } = raster;
  const [red, green, blue] = [of(0), of(1), of(2)];
  if (data instanceof Uint8Array) {
    const changed = new Float32Array(LEVELS);
    for (let i = 0; i < LEVELS; i++) {
      // From the exact quotient where there is no rounded one yet.
      const change = i < 256 ? red : i < 512 ? green : blue;
      changed[i] = change(curve ? curve[i]! : (i & 255) / 255);
    }
    return { width, height, data, curve: changed };
  }
  const out = new Float32Array(data.length);
  for (let i = 0; i < out.length; i += 3) {
    out[i] = red(data[i]!);
    out[i + 1] = green(data[i + 1]!);
    out[i + 2] = blue(data[i + 2]!);
  }
  return { width, height, data: out };
}

/** Red and blue exchanged. */
export function swapRedAndBlue({ data, curve, ...size }: Raster): Raster {
  // Not `slice`: that of a Node buffer, which decoders give, is no copy.
  const out = data instanceof Uint8Array ? new Uint8Array(data) : new Float32Array(data);
  for (let i = 0; i < out.length; i += 3) {
    out[i] = data[i + 2]!;
    out[i + 2] = data[i]!;
  }
  if (!curve) return { ...size, data: out };
  const [red, green, blue] = [curve.subarray(0, 256), curve.subarray(256, 512), curve.subarray(512)];
  return { ...size, data: out, curve: Float32Array.of(...blue, ...green, ...red) };
}

/**
 * Writes the values channel by channel, as a network reads them.
 *
 * @param channels 1: of a grey raster, whose three are equal
 * @param canvas height and width of the planes in `out`, in whose upper left corner they are put. Default: the raster's
 */
export function writePlanes(
  { width, height, data, curve = UNIT }: Raster,
  out: Float32Array,
  channels: 1 | 3 = 3,
  canvas: Size = [height, width],
): void {
  const pixels = canvas[0] * canvas[1];
  // Where rows follow on one another, all of them are one.
  const [rows, long] = canvas[1] === width ? [1, width * height] : [height, width];
  for (let channel = 0; channel < channels; channel++) {
    const levels = curve.subarray(channel * 256, (channel + 1) * 256);
    for (let row = 0; row < rows; row++) {
      const to = channel * pixels + row * canvas[1];
      const from = 3 * row * long + channel;
      if (data instanceof Uint8Array) look(data, from, levels, out, to, long);
      else pick(data, from, out, to, long);
    }
  }
}

// Functions of their own: an engine makes fast code of a loop that always sees arrays of the same types.

function look(
  triples: Uint8Array,
  from: number,
  levels: Float32Array,
  out: Float32Array,
  to: number,
  count: number,
): void {
  for (let i = to, at = from; i < to + count; i++, at += 3) out[i] = levels[triples[at]!]!;
}

function pick(triples: Float32Array, from: number, out: Float32Array, to: number, count: number): void {
  for (let i = to, at = from; i < to + count; i++, at += 3) out[i] = triples[at]!;
}

const LEVELS = 3 * 256;

/** Black 0, white 1. */
const UNIT = Float32Array.from({ length: LEVELS }, (_, i) => (i & 255) / 255);

/** Bytes alone can be scaled: Pillow's arithmetic, which networks were trained with, is defined on them. */
export function asImage({ width, height, data, curve }: Raster): Image {
  if (!(data instanceof Uint8Array) || curve) throw new TypeError("only bytes are scaled");
  return { width, height, data };
}
