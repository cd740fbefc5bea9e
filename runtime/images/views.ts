/** From an image to a classifier's inputs: the middle, ten crops, or the whole at some scale. */
import type { Preprocess } from "../../compiler/model.js";
import type { Image, Size } from "./image.js";
import { MOST_INPUT_PIXELS } from "./limits.js";
import { planesOf, type Planes } from "./planes.js";
import type { TransformSettings } from "./transforms/index.js";
import { isGeometry, NO_CHANCE, preparePipeline } from "./transforms/pipeline.js";

/** How the image is cut. */
export type View =
  /** The middle, as the declaration says. */
  | { readonly kind: "center" }
  /** Four corners and centre, of the image and of its mirror. */
  | { readonly kind: "ten crops" }
  /** All of it with the shorter side scaled to this length, for fully convolutional testing; and its mirror. */
  | { readonly kind: "whole"; readonly shorter: number };

type Transforms = readonly TransformSettings[];

/**
 * Scales, cuts and normalises.
 *
 * @param size height and width of the network's input where they are fixed. A declaration that cuts another size is
 *   followed in proportion: the same part of the image at the network's resolution.
 * @returns of an image 1 for the centre, 10 for ten crops, 2 for the whole: images of one size. It throws an ImageError
 *   that names no file: the caller knows it
 * @throws {DataError} where the transforms can't be run
 */
export function prepareViews(preprocess: Preprocess, size: Size | undefined, view: View): (image: Image) => Planes[] {
  const pipelines = transformsOf(preprocess.transforms, size, view).map((transforms) =>
    preparePipeline(transforms, { mostPixels: MOST_INPUT_PIXELS }),
  );
  return (image) =>
    pipelines.flatMap(({ begin, channels }) => {
      const { finish } = begin([image.height, image.width], NO_CHANCE);
      return finish(image).map((raster) => planesOf(raster, channels));
    });
}

/**
 * The centre view of one image: float32[channels, height, width] as a network of that input size is given it.
 *
 * @throws {ImageError}
 */
export function preprocessImage(image: Image, preprocess: Preprocess, size?: Size): Planes {
  return prepareViews(preprocess, size, { kind: "center" })(image)[0]!;
}

/** A list for each side of the image that is looked at. */
function transformsOf(declared: Transforms, size: Size | undefined, view: View): readonly Transforms[] {
  if (view.kind === "whole") return bothSides(wholeAt(declared, view.shorter));
  const transforms = atSize(declared, size);
  if (view.kind === "center") return [transforms];
  const crop = transforms.findLastIndex(({ kind }) => kind === "center_crop");
  // Without a crop, the ten would be the whole and its mirror five times.
  return crop < 0 ? bothSides(transforms) : [transforms.with(crop, { ...transforms[crop]!, kind: "ten_crop" })];
}

function bothSides(transforms: Transforms): readonly Transforms[] {
  return [transforms, afterGeometry(transforms, { kind: "flip_horizontal", probability: 1 })];
}

/** Nothing is cut, and what scales the image is one scaling of its shorter side. */
function wholeAt(declared: Transforms, shorter: number): Transforms {
  const interpolation = declared.find(({ interpolation }) => interpolation !== undefined)?.["interpolation"];
  const values = declared.filter((transform) => !isGeometry(transform));
  return [{ kind: "resize_shorter", length: shorter, interpolation }, ...values];
}

/** For a network of another input size than the transforms give: the same part of the image at its resolution. */
function atSize(transforms: Transforms, input: Size | undefined): Transforms {
  const given = preparePipeline(transforms).size;
  if (input === undefined || (given && sameSize(given, input))) return transforms;
  const crop = transforms.findLastIndex(({ kind }) => kind === "center_crop");
  if (crop < 0 || !given) return afterGeometry(transforms, { kind: "center_crop", size: input });
  // What scales the part that was cut decides alone.
  const last = transforms.findLastIndex(({ kind }) => kind === "center_crop" || kind === "resize");
  const { before, behind, size } = borderIn(transforms, last, given, input);
  if (last > crop) return [...before, { ...transforms[last]!, size }, ...behind];
  const cropped = transforms[crop]!["size"] as Size;
  const [tall, wide] = [size[0] / cropped[0], size[1] / cropped[1]];
  const scaled = (length: unknown): number | undefined =>
    length === undefined ? undefined : Math.floor((length as number) * Math.max(tall, wide));
  const larger = before.map((transform) => {
    if (transform.kind === "resize_shorter") {
      return { ...transform, length: scaled(transform["length"]), longest: scaled(transform["longest"]) };
    }
    if (transform.kind === "resize") {
      const to = transform["size"] as Size;
      return { ...transform, size: [Math.floor(to[0] * tall), Math.floor(to[1] * wide)] };
    }
    return transform;
  });
  return [...larger, { ...transforms[crop]!, size }, ...behind];
}

/** The transforms before a place and behind it, where borders are in proportion, and the size that is left inside of them. */
function borderIn(transforms: Transforms, at: number, given: Size, input: Size) {
  const factor = Math.max(input[0] / given[0], input[1] / given[1]);
  const behind = transforms.slice(at + 1).map((transform) => {
    return transform.kind === "pad"
      ? { ...transform, margin: Math.round((transform["margin"] as number) * factor) }
      : transform;
  });
  const margins = behind.map((transform) => (transform.kind === "pad" ? (transform["margin"] as number) : 0));
  const border = 2 * margins.reduce((sum, margin) => sum + margin, 0);
  return { before: transforms.slice(0, at), behind, size: [input[0] - border, input[1] - border] as Size };
}

/** One more, behind the last that moves pixels. */
function afterGeometry(transforms: Transforms, added: TransformSettings): Transforms {
  return transforms.toSpliced(transforms.findLastIndex(isGeometry) + 1, 0, added);
}

function sameSize(a: Size, b: Size): boolean {
  return a[0] === b[0] && a[1] === b[1];
}
