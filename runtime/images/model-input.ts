/** What a model is given of an image: described by plain data, so that any thread can make it. */
import type { Preprocess } from "../../compiler/model.js";
import { detectorInput, type DetectorInput } from "./detector-input.js";
import { ImageError, type Image, type Size } from "./image.js";
import { pixelsOf, type Pixels, type Planes } from "./planes.js";
import { prepareViews, type View } from "./views.js";

/** Views of an image, for a classifier. */
export interface ViewsPlan {
  readonly kind: "views";
  readonly preprocess: Preprocess;
  /** Of the network's input, where it is fixed. */
  readonly size: Size | undefined;
  readonly views: readonly View[];
}

/** The image as it was decoded, for a classifier that preprocesses it itself. */
export interface PixelsPlan {
  readonly kind: "pixels";
  /** Of the network. */
  readonly channels: number | undefined;
}

/** The whole image, scaled, for a detector. */
export interface DetectorPlan {
  readonly kind: "detector";
  readonly preprocess: Preprocess;
  /** What the model is called in messages, and the size of its input, where that is fixed. */
  readonly model: string;
  readonly size: Size | undefined;
  /** Whether the image itself is wanted, too. */
  readonly keepsPixels: boolean;
}

export type InputPlan = ViewsPlan | PixelsPlan | DetectorPlan;

/** What a classifier is given of an image. */
export interface ClassifierImage {
  readonly crops: readonly (Planes | Pixels)[];
}

/** What a detector is given of an image, and how large that is. */
export interface DetectorImage {
  readonly input: DetectorInput;
  readonly width: number;
  readonly height: number;
  readonly pixels?: Image;
}

/** What is made by a plan. */
export type ModelInput<P extends InputPlan = InputPlan> = P extends DetectorPlan ? DetectorImage : ClassifierImage;

/**
 * What makes a model's inputs of images.
 *
 * @returns throws an ImageError, which may name no file: the caller knows it
 * @throws {DataError} where the transforms can't be run
 */
export function modelInput<P extends InputPlan>(plan: P): (image: Image) => ModelInput<P> {
  return makerFor(plan) as (image: Image) => ModelInput<P>;
}

function makerFor(plan: InputPlan): (image: Image) => ClassifierImage | DetectorImage {
  if (plan.kind === "pixels") return (image) => ({ crops: [pixelsOf(image, plan.channels)] });
  if (plan.kind === "detector") return (image) => forDetector(image, plan);
  const cut = plan.views.map((view) => prepareViews(plan.preprocess, plan.size, view));
  return (image) => ({ crops: cut.flatMap((views) => views(image)) });
}

function forDetector(image: Image, { preprocess, model, size, keepsPixels }: DetectorPlan): DetectorImage {
  const input = detectorInput(image, preprocess);
  const [height, width] = input.info;
  if (size !== undefined && (height > size[0] || width > size[1])) {
    throw new ImageError(`scaled to ${height}x${width}, it doesn't go into ${model}, whose input is ${size.join("x")}`);
  }
  return { input, width: image.width, height: image.height, ...(keepsPixels && { pixels: image }) };
}

/** The memory of what was made that a thread can give away instead of copying it. */
export function ownMemory(made: ModelInput): ArrayBuffer[] {
  // Bytes are a decoder's, which keeps them.
  const floats = "input" in made ? [made.input.planes.data] : made.crops.map(({ data }) => data);
  return floats.flatMap((data) => (data instanceof Float32Array ? (data.buffer as ArrayBuffer) : []));
}
