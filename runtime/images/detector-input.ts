/** From images to what a detector is given: whole images, scaled by its dialect's rules, and how they were scaled. */
import type { Preprocess } from "../../compiler/model.js";
import type { Size } from "./image.js";
import { ImageError, type Image } from "./image.js";
import { MOST_INPUT_PIXELS, tooManyValues } from "./limits.js";
import { planesOf, type Planes } from "./planes.js";
import type { ImageInfo } from "./transforms/boxes.js";
import { NO_CHANCE, preparePipeline } from "./transforms/pipeline.js";

/** An image, ready. */
export interface DetectorInput {
  readonly planes: Planes;
  readonly info: ImageInfo;
}

/** Several, of different sizes perhaps, in one tensor. */
export interface DetectorBatch {
  /** float32[N, channels, height, width]: each at the top left, zeros elsewhere. */
  readonly image: { readonly data: Float32Array; readonly shape: readonly [number, number, number, number] };
  /** float32[N, 6] */
  readonly info: { readonly data: Float32Array; readonly shape: readonly [number, number] };
}

/**
 * Scales the whole image and normalises it, by the rules that the preprocessing names. Zeros that it adds are added when
 * images are put together.
 *
 * @throws {ImageError} naming no file: scaled, the image would be too large
 */
export function detectorInput(image: Image, preprocess: Preprocess): DetectorInput {
  const transforms = preprocess.transforms.filter(({ kind }) => kind !== "pad_to");
  const from: Size = [image.height, image.width];
  const { begin, channels, info: infoFrom } = preparePipeline(transforms);
  const info = infoFrom(from, NO_CHANCE);
  const [height, width] = info;
  if (height * width > MOST_INPUT_PIXELS) {
    throw new ImageError(
      `${image.width}x${image.height} is too much for a detector: scaled it would be ${width}x${height}`,
    );
  }
  const [raster] = begin(from, NO_CHANCE).finish(image);
  return { planes: planesOf(raster!, channels), info };
}

/** What height and width of a tensor are multiples of, where the preprocessing asks for it. */
export function padToOf({ transforms }: Preprocess): number | undefined {
  return transforms.findLast(({ kind }) => kind === "pad_to")?.["multiple"] as number | undefined;
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
