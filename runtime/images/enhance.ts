/** Pillow's ImageEnhance and ImageOps, to the level: what augmentations that were written for Pillow's images are made of. */
import { lumaOf } from "./grey.js";
import type { Image } from "./image.js";

/** @param factor 0 is black, 1 no change */
export function brightness(image: Image, factor: number): Image {
  return mapLevels(image, () => (level) => blend(0, level, factor));
}

/** @param factor 0 is all of the image's mean grey, 1 no change */
export function contrast(image: Image, factor: number): Image {
  let sum = 0;
  for (let i = 0; i < image.data.length; i += 3) sum += lumaOf(image.data, i);
  const mean = Math.floor(sum / (image.width * image.height) + 0.5);
  return mapLevels(image, () => (level) => blend(mean, level, factor));
}

/** @param factor 0 is grey, 1 no change */
export function color({ width, height, data }: Image, factor: number): Image {
  const out = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i += 3) {
    const luma = lumaOf(data, i);
    for (let at = i; at < i + 3; at++) out[at] = blend(luma, data[at]!, factor);
  }
  return { width, height, data: out };
}

/** @param factor 0 is smooth, 1 no change, 2 sharper; the pixels at the edge stay as they are */
export function sharpness({ width, height, data }: Image, factor: number): Image {
  const out = new Uint8Array(data);
  const row = 3 * width;
  for (let y = 1; y < height - 1; y++) {
    for (let at = y * row + 3; at < (y + 1) * row - 3; at++) {
      let sum = 4 * data[at]!;
      for (let middle = at - row; middle <= at + row; middle += row) {
        sum += data[middle - 3]! + data[middle]! + data[middle + 3]!;
      }
      out[at] = blend(Math.floor(sum / SMOOTH + 0.5), data[at]!, factor);
    }
  }
  return { width, height, data: out };
}

/** The sum of Pillow's kernel of that name: 5 in the middle, 1 in the eight places round it. */
const SMOOTH = 13;

/** @param bits that are kept of each level, 0 to 8 */
export function posterize(image: Image, bits: number): Image {
  const mask = 256 - 2 ** (8 - bits);
  return mapLevels(image, () => (level) => level & mask);
}

/** Levels from a threshold on are inverted. */
export function solarize(image: Image, threshold: number): Image {
  return mapLevels(image, () => (level) => (level < threshold ? level : 255 - level));
}

/** Each channel is spread over all levels, from its darkest to its lightest. */
export function autocontrast(image: Image): Image {
  return mapLevels(image, (channel) => {
    const counts = histogram(image, channel);
    const [darkest, lightest] = [counts.findIndex(Boolean), counts.findLastIndex(Boolean)];
    if (lightest <= darkest) return (level) => level;
    const scale = 255 / (lightest - darkest);
    const offset = -darkest * scale;
    return (level) => level * scale + offset;
  });
}

/** In each channel every level becomes about as frequent. */
export function equalize(image: Image): Image {
  return mapLevels(image, (channel) => {
    const counts = histogram(image, channel);
    const pixels = image.width * image.height;
    const step = Math.floor((pixels - counts.findLast(Boolean)!) / 255);
    if (step === 0) return (level) => level;
    let below = Math.floor(step / 2);
    const levels = counts.map((count) => {
      const level = Math.floor(below / step);
      below += count;
      return level;
    });
    return (level) => levels[level]!;
  });
}

/**
 * Pillow's `Image.blend`, in single precision: 0 is the first, 1 the second, beyond them the difference is exaggerated.
 * What is behind the point is cut off where it is stored.
 */
function blend(first: number, second: number, share: number): number {
  const value = Math.fround(first + Math.fround(Math.fround(share) * (second - first)));
  return value <= 0 ? 0 : value >= 255 ? 255 : value;
}

/** Every level of a channel is replaced by a function of it, cut off to 0 to 255 and to whole levels. */
function mapLevels({ width, height, data }: Image, functionOf: (channel: number) => (level: number) => number): Image {
  const table = new Uint8Array(3 * 256);
  for (let channel = 0; channel < 3; channel++) {
    const change = functionOf(channel);
    for (let level = 0; level < 256; level++) {
      table[256 * channel + level] = Math.min(Math.max(change(level), 0), 255);
    }
  }
  const out = new Uint8Array(data.length);
  for (let i = 0; i < out.length; i += 3) {
    out[i] = table[data[i]!]!;
    out[i + 1] = table[256 + data[i + 1]!]!;
    out[i + 2] = table[512 + data[i + 2]!]!;
  }
  return { width, height, data: out };
}

/** How many pixels have each level of a channel. */
function histogram({ data }: Image, channel: number): readonly number[] {
  const counts = new Array<number>(256).fill(0);
  for (let i = channel; i < data.length; i += 3) counts[data[i]!]!++;
  return counts;
}
