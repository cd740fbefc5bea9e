/** From images to what a detector is given: whole images, scaled by its dialect's rules, and how they were scaled. */
import type { Preprocess } from "../../compiler/model.js";
import type { Size } from "./crops.js";
import { toGrey } from "./grey.js";
import { ImageError, type Image } from "./image.js";
import { MOST_INPUT_PIXELS, tooManyValues } from "./limits.js";
import { normalize, type Planes } from "./preprocess.js";
import { resample } from "./resample.js";
import { placesByRatio, placesByScale, sample, type Channel } from "./sample.js";
import { scaleByRules, type Scaled } from "./scaled-size.js";

/** An image, ready. */
export interface DetectorInput {
  readonly planes: Planes;
  /** A row of `image_info`: height and width in the tensor, height and width of the image, scale down and across. */
  readonly info: readonly [number, number, number, number, number, number];
}

/** Several, of different sizes perhaps, in one tensor. */
export interface DetectorBatch {
  /** float32[N, channels, height, width]: each at the top left, zeros elsewhere. */
  readonly image: { readonly data: Float32Array; readonly shape: readonly [number, number, number, number] };
  /** float32[N, 6] */
  readonly info: { readonly data: Float32Array; readonly shape: readonly [number, number] };
}

/**
 * Scales the whole image and normalises it, in the order and by the sampling of the rules that the preprocessing
 * names. A crop that it may have is not followed.
 *
 * @throws {ImageError} naming no file: scaled, the image would be too large
 */
export function detectorInput(decoded: Image, preprocess: Preprocess): DetectorInput {
  const image = preprocess.color === "grey" ? toGrey(decoded) : decoded;
  const from: Size = [image.height, image.width];
  const { size, scale } = scaledBy(from, preprocess.resize);
  const [height, width] = size;
  if (height * width > MOST_INPUT_PIXELS) {
    throw new ImageError(
      `${image.width}x${image.height} is too much for a detector: scaled it would be ${width}x${height}`,
    );
  }
  return { planes: scaleTo(image, { size, scale }, preprocess), info: [...size, ...from, ...scale] };
}

function scaledBy(from: Size, resize: Preprocess["resize"]): Scaled {
  if (resize === undefined) return { size: from, scale: [1, 1] };
  if ("shorter" in resize) return scaleByRules(from, resize);
  return { size: resize.to, scale: [resize.to[0] / from[0], resize.to[1] / from[1]] };
}

function scaleTo(image: Image, { size, scale }: Scaled, preprocess: Preprocess): Planes {
  const { resize, interpolation } = preprocess;
  const like = resize !== undefined && "shorter" in resize ? resize.like : undefined;
  const [height, width] = size;
  if (like === "torch") {
    return sample(image, placesByRatio(image.height, height), placesByRatio(image.width, width), channels(preprocess));
  }
  if (like === "opencv") {
    const [rows, columns] = [
      placesByScale(image.height, height, scale[0]),
      placesByScale(image.width, width, scale[1]),
    ];
    return sample(image, rows, columns, channels(preprocess));
  }
  return normalize(resample(image, width, height, interpolation), preprocess);
}

/** Sampling is linear, so that it doesn't matter whether the values are normalised before, as the rules say, or after. */
function channels({ color, range, mean, std }: Preprocess): Channel[] {
  return mean.map((_, channel) => ({
    source: color === "bgr" ? 2 - channel : channel,
    factor: range / 255 / std[channel]!,
    offset: -mean[channel]! / std[channel]!,
  }));
}

/**
 * Puts images into one tensor, as high as the highest and as wide as the widest, up to multiples of `padTo`.
 *
 * @param size of the tensor, where the model fixes it
 * @throws {RangeError} one line, where the tensor would be too large
 */
export function stack(inputs: readonly DetectorInput[], padTo = 1, size?: Size): DetectorBatch {
  const upTo = (side: (planes: Planes) => number) =>
    Math.ceil(Math.max(...inputs.map(({ planes }) => side(planes))) / padTo) * padTo;
  const [height, width] = size ?? [upTo((planes) => planes.height), upTo((planes) => planes.width)];
  const shape = [inputs.length, inputs[0]!.planes.channels, height, width] as const;
  const problem = tooManyValues(shape);
  if (problem !== undefined) throw new RangeError(problem);
  const info = Float32Array.from(inputs.flatMap((input) => input.info));
  return {
    image: { data: padded(inputs, height, width), shape },
    info: { data: info, shape: [inputs.length, 6] },
  };
}

function padded(inputs: readonly DetectorInput[], height: number, width: number): Float32Array {
  const [only, ...more] = inputs.map(({ planes }) => planes);
  if (more.length === 0 && only!.height === height && only!.width === width) return only!.data;
  const { channels } = only!;
  const data = new Float32Array(inputs.length * channels * height * width);
  inputs.forEach(({ planes }, image) => {
    for (let row = 0; row < channels * planes.height; row++) {
      const plane = image * channels + Math.floor(row / planes.height);
      const values = planes.data.subarray(row * planes.width, (row + 1) * planes.width);
      data.set(values, (plane * height + (row % planes.height)) * width);
    }
  });
  return data;
}
