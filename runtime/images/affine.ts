/**
 * Pillow's `Image.transform` with an affine matrix, to the level: nearest in fixed point (16 bits behind the point), the
 * others in double precision, and what is behind the point cut off.
 */
import type { Image } from "./image.js";
import type { Interpolation } from "./resample.js";

/** From a place in the image that is made to one in the source: [a, b, c, d, e, f], x to a x + b y + c, y to d x + e y + f. */
export type Matrix = readonly [a: number, b: number, c: number, d: number, e: number, f: number];

/** The same size afterwards. What comes from outside of the source is filled with a colour. */
export function affine(image: Image, matrix: Matrix, interpolation: Interpolation, fill: readonly number[]): Image {
  return interpolation === "nearest"
    ? picked(image, matrix, fill)
    : sampled(image, matrix, SAMPLERS[interpolation], fill);
}

function picked({ width, height, data }: Image, [a, b, c, d, e, f]: Matrix, fill: readonly number[]): Image {
  const fixed = (value: number): number => Math.floor(value * 65536 + 0.5);
  const [left, top] = [fixed(c + a * 0.5 + b * 0.5), fixed(f + d * 0.5 + e * 0.5)];
  const [rightX, downX, rightY, downY] = [fixed(a), fixed(b), fixed(d), fixed(e)];
  const out = filled(data.length, fill);
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < width; x++, to += 3) {
      const column = Math.floor((left + x * rightX + y * downX) / 65536);
      const row = Math.floor((top + x * rightY + y * downY) / 65536);
      if (column < 0 || column >= width || row < 0 || row >= height) continue;
      const from = 3 * (row * width + column);
      out[to] = data[from]!;
      out[to + 1] = data[from + 1]!;
      out[to + 2] = data[from + 2]!;
    }
  }
  return { width, height, data: out };
}

function sampled(image: Image, [a, b, c, d, e, f]: Matrix, sample: Sampler, fill: readonly number[]): Image {
  const { width, height, data } = image;
  const out = filled(data.length, fill);
  for (let row = 0, to = 0; row < height; row++) {
    for (let column = 0; column < width; column++, to += 3) {
      const x = a * (column + 0.5) + b * (row + 0.5) + c;
      const y = d * (column + 0.5) + e * (row + 0.5) + f;
      if (x < 0 || x >= width || y < 0 || y >= height) continue;
      for (let channel = 0; channel < 3; channel++) out[to + channel] = sample(image, x, y, channel);
    }
  }
  return { width, height, data: out };
}

function filled(length: number, colour: readonly number[]): Uint8Array {
  const data = new Uint8Array(length);
  if (colour.some(Boolean)) for (let i = 0; i < length; i++) data[i] = colour[i % 3]!;
  return data;
}

/** Turned counterclockwise round the middle, by -360 to 360 degrees. */
export function rotation(degrees: number, { width, height }: Pick<Image, "width" | "height">): Matrix {
  const angle = -(degrees < 0 ? degrees + 360 : degrees) * (Math.PI / 180);
  // Pillow rounds so; it hides in what engines' cosines differ, too.
  const [cos, sin] = [Number(Math.cos(angle).toFixed(15)), Number(Math.sin(angle).toFixed(15))];
  const [x, y] = [width / 2, height / 2];
  return [cos, sin, cos * -x + sin * -y + x, -sin, cos, -sin * -x + cos * -y + y];
}

/** A value between the pixels, at a place inside of the image; in place of pixels outside the nearest inside counts. */
type Sampler = (image: Image, x: number, y: number, channel: number) => number;

const SAMPLERS: Readonly<Record<Exclude<Interpolation, "nearest">, Sampler>> = {
  bilinear(image, x, y, channel) {
    const [left, top] = [Math.floor(x - 0.5), Math.floor(y - 0.5)];
    const row = (at: number): number => {
      const first = level(image, left, at, channel);
      return first + (level(image, left + 1, at, channel) - first) * (x - 0.5 - left);
    };
    const upper = row(top);
    return upper + (row(top + 1) - upper) * (y - 0.5 - top);
  },
  bicubic(image, x, y, channel) {
    const [left, top] = [Math.floor(x - 0.5), Math.floor(y - 0.5)];
    const row = (at: number): number => {
      const of = (column: number): number => level(image, column, at, channel);
      return cubic(of(left - 1), of(left), of(left + 1), of(left + 2), x - 0.5 - left);
    };
    const value = cubic(row(top - 1), row(top), row(top + 1), row(top + 2), y - 0.5 - top);
    return Math.min(Math.max(value, 0), 255);
  },
};

function level({ width, height, data }: Image, x: number, y: number, channel: number): number {
  const column = Math.min(Math.max(x, 0), width - 1);
  const row = Math.min(Math.max(y, 0), height - 1);
  return data[3 * (row * width + column) + channel]!;
}

/** Through four values, between the second and the third. */
function cubic(v1: number, v2: number, v3: number, v4: number, d: number): number {
  return v2 + d * (-v1 + v3 + d * (2 * (v1 - v2) + v3 - v4 + d * (-v1 + v2 - v3 + v4)));
}
