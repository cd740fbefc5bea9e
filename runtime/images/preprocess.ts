/** From an image to a network's input, as a `preprocess` declaration says. */
import type { Preprocess } from "../../compiler/model.js";
import { channelsOf } from "../../compiler/preprocess.js";
import { centerWindow, fiveWindows, mirrorWindow, scaledSize, scaleShorter, type Size } from "./crops.js";
import { toGrey } from "./grey.js";
import { ImageError, type Image } from "./image.js";
import { MOST_INPUT_PIXELS } from "./limits.js";
import { crop, resample, type Window } from "./resample.js";

/** One image for the network: float32[channels, height, width], channel by channel. */
export interface Planes {
  /** 3, or 1 of grey. */
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly data: Float32Array;
}

/** An image as it is decoded, for networks that preprocess it themselves: uint8 [height, width, channels]. */
export interface Pixels {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly data: Uint8Array;
}

/** @param channels of the network: 1 for grey */
export function pixelsOf(image: Image, channels: number | undefined): Pixels {
  const { width, height } = image;
  if (channels !== 1) return { channels: 3, height, width, data: image.data };
  return { channels, height, width, data: toGrey(image).data.filter((_, i) => i % 3 === 0) };
}

/** How the image is cut. */
export type View =
  /** The middle, as the declaration says. */
  | { readonly kind: "center" }
  /** Four corners and centre, of the image and of its mirror. */
  | { readonly kind: "ten crops" }
  /** All of it with the shorter side scaled to this length, for fully convolutional testing; and its mirror. */
  | { readonly kind: "whole"; readonly shorter: number };

/** More pixels than this are not scaled up to: an image of 10000x8 at shorter side 640 would have 512 million. */
const MAX_SCALED_PIXELS = 100_000_000;

/**
 * Scales, cuts and normalises.
 *
 * @param size height and width of the network's input where they are fixed. A declaration that cuts another size is
 *   followed in proportion: the same part of the image at the network's resolution.
 * @returns 1 for the centre, 10 for ten crops, 2 for the whole: images of one size
 * @throws {ImageError} naming no file: the caller knows it
 */
export function views(decoded: Image, preprocess: Preprocess, size: Size | undefined, view: View): Planes[] {
  const image = preprocess.color === "grey" ? toGrey(decoded) : decoded;
  const from: Size = [image.height, image.width];
  if (view.kind === "whole") {
    const scaled = scaleShorter(from, view.shorter);
    const whole = cut(image, scaled, wholeOf(scaled), preprocess);
    return [normalize(whole, preprocess), normalize(mirror(whole), preprocess)];
  }
  const { scaled, cropped } = framing(from, preprocess, size);
  if (view.kind === "center") {
    return [normalize(cut(image, scaled, centerWindow(scaled, cropped), preprocess), preprocess)];
  }
  if (scaled[0] < cropped[0] || scaled[1] < cropped[1]) {
    throw new ImageError(`${scaled.join("x")} is smaller than the ${cropped.join("x")} crops`);
  }
  const whole = cut(image, scaled, wholeOf(scaled), preprocess);
  const windows = fiveWindows(scaled, cropped);
  const crops = windows.map((window) => crop(whole, window));
  const mirrored = windows.map((window) => mirror(crop(whole, mirrorWindow(window, scaled))));
  return [...crops, ...mirrored].map((image) => normalize(image, preprocess));
}

/**
 * The centre view alone: float32[channels, height, width] as a network of that input size is given it.
 *
 * @throws {ImageError}
 */
export function preprocessImage(image: Image, preprocess: Preprocess, size?: Size): Planes {
  return views(image, preprocess, size, { kind: "center" })[0]!;
}

/** What the image is scaled to, and the size of what is cut from it. */
function framing(image: Size, preprocess: Preprocess, size: Size | undefined): { scaled: Size; cropped: Size } {
  const { resize, centerCrop } = preprocess;
  const cropped = size ?? centerCrop;
  if (cropped === undefined) {
    const scaled = scaledSize(image, resize);
    return { scaled, cropped: scaled };
  }
  if (size === undefined || centerCrop === undefined || resize === undefined) {
    return { scaled: scaledSize(image, resize), cropped };
  }
  const [tall, wide] = [size[0] / centerCrop[0], size[1] / centerCrop[1]];
  const larger = Math.max(tall, wide);
  const inProportion: Preprocess["resize"] =
    "shorter" in resize
      ? {
          ...resize,
          shorter: Math.floor(resize.shorter * larger),
          ...(resize.longest !== undefined && { longest: Math.floor(resize.longest * larger) }),
        }
      : { to: [Math.floor(resize.to[0] * tall), Math.floor(resize.to[1] * wide)] };
  return { scaled: scaledSize(image, inProportion), cropped };
}

function wholeOf([height, width]: Size): Window {
  return { left: 0, top: 0, width, height };
}

/** The part of the scaled image in the window; black where the window reaches beyond it. */
function cut(image: Image, [height, width]: Size, window: Window, { interpolation }: Preprocess): Image {
  const inside: Window = {
    left: Math.max(0, window.left),
    top: Math.max(0, window.top),
    width: Math.min(window.width, width),
    height: Math.min(window.height, height),
  };
  if (inside.width * inside.height > MAX_SCALED_PIXELS || Math.max(width, height) > MAX_SCALED_PIXELS) {
    throw new ImageError(`${image.width}x${image.height} is too long: scaled it would be ${width}x${height}`);
  }
  checkInput(window.width, window.height);
  const part = resample(image, width, height, interpolation, inside);
  if (part.width === window.width && part.height === window.height) return part;
  const data = new Uint8Array(window.width * window.height * 3);
  for (let y = 0; y < part.height; y++) {
    const row = part.data.subarray(y * part.width * 3, (y + 1) * part.width * 3);
    data.set(row, ((y + inside.top - window.top) * window.width + inside.left - window.left) * 3);
  }
  return { width: window.width, height: window.height, data };
}

/** @throws {ImageError} where more would be made for the network than one may be given */
function checkInput(width: number, height: number): void {
  if (width * height <= MOST_INPUT_PIXELS) return;
  throw new ImageError(`${width}x${height} is more than the ${MOST_INPUT_PIXELS} pixels that a network may be given`);
}

function mirror({ width, height, data }: Image): Image {
  const mirrored = new Uint8Array(data.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = (y * width + x) * 3;
      const to = (y * width + width - 1 - x) * 3;
      mirrored[to] = data[from]!;
      mirrored[to + 1] = data[from + 1]!;
      mirrored[to + 2] = data[from + 2]!;
    }
  }
  return { width, height, data: mirrored };
}

/**
 * Bytes to what the network was trained on: each channel's 256 possible values are computed once, in fp32.
 *
 * @param image for a grey preprocessing: of three equal channels
 */
export function normalize(image: Image, { color, range, mean, std }: Preprocess): Planes {
  const pixels = image.width * image.height;
  const channels = channelsOf({ color });
  const data = new Float32Array(channels * pixels);
  for (let channel = 0; channel < channels; channel++) {
    const table = Float32Array.from({ length: 256 }, (_, level) => {
      const centred = Math.fround(Math.fround((level / 255) * range) - Math.fround(mean[channel]!));
      return centred / Math.fround(std[channel]!);
    });
    const source = color === "bgr" ? 2 - channel : channel;
    const plane = data.subarray(channel * pixels, (channel + 1) * pixels);
    for (let i = 0; i < pixels; i++) plane[i] = table[image.data[3 * i + source]!]!;
  }
  return { channels, width: image.width, height: image.height, data };
}
