/**
 * The operations of AutoAugment's family (arXiv:1805.09501), which learned or random policies choose from: torchvision's
 * `_apply_op`, on Pillow's images.
 */
import { affine, rotation, type Matrix } from "../affine.js";
import { autocontrast, brightness, color, contrast, equalize, posterize, sharpness, solarize } from "../enhance.js";
import type { Image, Size } from "../image.js";
import type { Interpolation } from "../resample.js";
import type { Random } from "../../random.js";

/** How pixels are found that lie between those of the image or outside of it. */
export interface Sampling {
  readonly interpolation: Interpolation;
  /** Of each channel, or of all. */
  readonly fill: readonly number[];
}

type Operation = (image: Image, magnitude: number, sampling: Sampling) => Image;

/** By name, in the order in which they are drawn. */
export const OPERATIONS = {
  identity: (image) => image,
  shear_x: moving((magnitude) => [1, magnitude, 0, 0, 1, 0]),
  shear_y: moving((magnitude) => [1, 0, 0, magnitude, 1, 0]),
  translate_x: moving((magnitude) => [1, 0, -Math.trunc(magnitude), 0, 1, 0]),
  translate_y: moving((magnitude) => [1, 0, 0, 0, 1, -Math.trunc(magnitude)]),
  rotate: moving(rotation),
  brightness: (image, magnitude) => brightness(image, 1 + magnitude),
  color: (image, magnitude) => color(image, 1 + magnitude),
  contrast: (image, magnitude) => contrast(image, 1 + magnitude),
  sharpness: (image, magnitude) => sharpness(image, 1 + magnitude),
  posterize,
  solarize,
  auto_contrast: autocontrast,
  equalize,
} as const satisfies Readonly<Record<string, Operation>>;

export type OperationName = keyof typeof OPERATIONS;

function moving(matrixOf: (magnitude: number, image: Image) => Matrix): Operation {
  return (image, magnitude, { interpolation, fill }) => {
    const colour = fill.length === 1 ? [fill[0]!, fill[0]!, fill[0]!] : fill;
    return affine(image, matrixOf(magnitude, image), interpolation, colour);
  };
}

/** The magnitude of a bin of so many; half of the time with a minus in front where it is signed. */
export interface Magnitudes {
  readonly of: (bin: number, bins: number) => number;
  readonly signed?: true;
}

/** The magnitudes of all operations that have one, for an image's size. */
export type Space = (size: Size) => Readonly<Partial<Record<OperationName, Magnitudes>>>;

/**
 * One operation, each being as likely.
 *
 * @param bin which magnitude; absent: each is as likely
 */
export function augmented(
  image: Image,
  space: Space,
  { bin, bins, ...sampling }: Sampling & { readonly bins: number; readonly bin?: number },
  random: Random,
): Image {
  const names = Object.keys(OPERATIONS) as OperationName[];
  const name = names[Math.floor(random() * names.length)]!;
  const magnitudes = space([image.height, image.width])[name];
  const amount = magnitudes?.of(bin ?? Math.floor(random() * bins), bins) ?? 0;
  const magnitude = magnitudes?.signed && random() < 0.5 ? -amount : amount;
  return OPERATIONS[name](image, magnitude, sampling);
}

/** Evenly from one to the other, as PyTorch's `linspace`: in single precision, the second half from the end. */
export function evenly(from: number, to: number): Magnitudes["of"] {
  const [first, last] = [Math.fround(from), Math.fround(to)];
  return (bin, bins) => {
    const step = Math.fround(Math.fround(last - first) / (bins - 1));
    if (bin < Math.floor(bins / 2)) return Math.fround(first + Math.fround(step * bin));
    return Math.fround(last - Math.fround(step * (bins - bin - 1)));
  };
}

/** Bits that are kept: from all 8 evenly to fewer, halves to the even number. */
export function bitsLess(most: number): Magnitudes["of"] {
  return (bin, bins) => {
    const less = Math.fround(bin / Math.fround((bins - 1) / most));
    const below = Math.floor(less);
    const isHalf = less - below === 0.5;
    return 8 - (isHalf ? below + (below % 2) : Math.round(less));
  };
}

/** Levels are whole numbers. */
export function fillProblem(fill: readonly number[]): string | undefined {
  return fill.every(Number.isInteger) ? undefined : `fill ${fill.join(", ")}: levels are whole numbers`;
}
