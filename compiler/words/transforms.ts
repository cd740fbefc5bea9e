/**
 * The transforms of images: what each takes. How it is done stands in runtime/images/transforms, in a file of the same
 * name.
 */
import { own } from "../../grammar/own.js";
import { channels, choice, integer, interval, number, size, words, type Word } from "./schema.js";

/** A transform of images. */
export interface TransformWord extends Word {
  /** It leaves something to chance: nothing for an evaluation. */
  readonly random?: true;
  /** It makes images larger or smaller: of two such, the second undoes the first. */
  readonly scales?: true;
  /** Settings with which it leaves every image as it is. */
  readonly idle?: Readonly<Record<string, number>>;
}

/** A transform as data: its word, and the arguments that are given. */
export interface TransformSettings {
  readonly kind: string;
  readonly [setting: string]: number | boolean | string | readonly number[];
}

/** Sides of images. */
const SIDE = { min: 1, max: 16384 } as const;

/** A limit that asks for no pixels may be beyond all of them: "no limit", in many a configuration. */
export const LONGEST = 1_000_000;

const interpolation = choice("The filter, as Pillow has it.", ["bilinear", "bicubic", "nearest"], {
  default: "bilinear",
});
const longest = integer("The longer side at most; the image is scaled less where it would be longer.", {
  min: 1,
  max: LONGEST,
  optional: true,
});
const detectorRules = choice(
  "Whose rules for detectors' images are followed, in rounding sizes and in sampling: `opencv` (py-faster-rcnn), " +
    "`torch` (torchvision's detectors), `pillow` (Detectron2).",
  ["opencv", "torch", "pillow"],
  { optional: true },
);
/** What policies of AutoAugment's family have in common. */
const augmenting = {
  num_magnitude_bins: integer("Strengths that are told apart, from none to the greatest.", {
    min: 2,
    max: 1024,
    default: 31,
  }),
  interpolation: choice("Of shearing and turning, as Pillow has it.", ["nearest", "bilinear", "bicubic"], {
    default: "nearest",
  }),
  fill: channels("Levels of what comes from outside of the image, 0 to 255.", { min: 0, max: 255, default: [0, 0, 0] }),
};
const white = number("The value of white before the subtraction.", { min: 1, max: 255, default: 1 });

export const TRANSFORM_WORDS = words({
  pad: {
    doc:
      "Adds a border of zeros on every side: the mean colour where the mean has been subtracted before (so the paper's 4 " +
      "pixels, section 4.2), black where it has not.",
    idle: { margin: 0 },
    arguments: { margin: integer("Width of the border in pixels.", { min: 0, max: 4096 }) },
  },
  pad_to: {
    doc: "Adds zeros on the right and below, as detectors' images are padded.",
    arguments: { multiple: integer("Height and width become multiples of this.", SIDE) },
  },
  random_crop: {
    doc: "Cuts out a part of a given size, every position being as likely (sections 3.4 and 4.2).",
    random: true,
    arguments: { size: size("Height and width of the part in pixels.", SIDE) },
  },
  flip_horizontal: {
    doc: "Exchanges left and right in some of the images (section 3.4).",
    random: true,
    idle: { probability: 0 },
    arguments: { probability: number("Share of the images that are mirrored.", { min: 0, max: 1, default: 0.5 }) },
  },
  center_crop: {
    doc: "Cuts the middle out, with zeros round it where the image is smaller; rounded as torchvision does.",
    arguments: { size: size("Height and width of the part in pixels.", SIDE) },
  },
  ten_crop: {
    doc:
      "Ten images of one, whose scores are averaged: the four corners and the centre, and the same of the mirrored " +
      "image (AlexNet's testing, section 3.4).",
    arguments: { size: size("Height and width of each part in pixels.", SIDE) },
  },
  resize: {
    doc: "Scales the image to a height and a width, whatever its proportion.",
    scales: true,
    arguments: {
      size: size("Height and width in pixels.", SIDE),
      interpolation,
      like: choice("Whose sampling is followed: `torch` (torchvision's detectors), without antialiasing.", ["torch"], {
        optional: true,
      }),
    },
  },
  resize_shorter: {
    doc: "Scales the image until its shorter side has a length; the longer one keeps the proportion.",
    scales: true,
    arguments: {
      length: integer("Length of the shorter side in pixels.", SIDE),
      interpolation,
      longest,
      like: detectorRules,
    },
  },
  random_resize_shorter: {
    doc:
      "Scale augmentation: scales the image until its shorter side has a length that is drawn for each image, every " +
      "integer of the interval being as likely (section 3.4, after VGG), or every so many of them (Detectron2).",
    random: true,
    scales: true,
    arguments: {
      length: interval("The least and the greatest length of the shorter side in pixels; [256, 480] in the paper.", {
        ...SIDE,
        integer: true,
      }),
      interpolation,
      step: integer("From one length that may be drawn to the next: 32 for Detectron2's [640, 800]; without, 1.", {
        ...SIDE,
        optional: true,
      }),
      longest,
      like: detectorRules,
    },
  },
  random_resized_crop: {
    doc:
      "Cuts out a part of random area and proportion and scales it to a size: GoogLeNet's augmentation by torchvision's " +
      "rule (ten tries, then the largest part in the middle whose proportion is allowed).",
    source: "arXiv:1409.4842",
    random: true,
    scales: true,
    arguments: {
      size: size("Height and width afterwards in pixels.", SIDE),
      scale: interval("Share of the image's area that is cut out.", { min: 0.001, max: 1, default: [0.08, 1] }),
      ratio: interval("Width by height of the part, drawn evenly on a logarithmic scale.", {
        min: 0.05,
        max: 20,
        default: [3 / 4, 4 / 3],
      }),
      interpolation,
    },
  },
  color_pca: {
    doc:
      "AlexNet's colour augmentation: adds to all pixels of an image multiples of the principal components of ImageNet's " +
      "colours, each times its eigenvalue times a number drawn from a normal distribution (section 3.4).",
    random: true,
    idle: { std: 0 },
    arguments: { std: number("Standard deviation of the numbers drawn.", { min: 0, max: 10, default: 0.1 }) },
  },
  color_jitter: {
    doc:
      "Changes brightness, contrast, saturation and hue by random amounts in random order, as torchvision's ColorJitter; " +
      "grey images have no saturation and no hue to change.",
    random: true,
    idle: { brightness: 0, contrast: 0, saturation: 0, hue: 0 },
    arguments: {
      brightness: number("The factor is drawn from 1 - brightness to 1 + brightness.", {
        min: 0,
        max: 1,
        default: 0.4,
      }),
      contrast: number("The factor is drawn from 1 - contrast to 1 + contrast.", { min: 0, max: 1, default: 0.4 }),
      saturation: number("The factor is drawn from 1 - saturation to 1 + saturation.", {
        min: 0,
        max: 1,
        default: 0.4,
      }),
      hue: number("The turn is drawn from -hue to hue; 1 is once round the circle.", { min: 0, max: 0.5, default: 0 }),
    },
  },
  subtract_mean: {
    doc:
      "Subtracts the mean of the training images, measured before training: of each pixel, as the paper does (sections " +
      "3.4 and 4.2), or of each channel.",
    arguments: {
      per: choice("What has a mean of its own.", ["pixel", "channel"], { default: "pixel" }),
      divide: choice(
        "What the difference is divided by: nothing, or each channel's standard deviation.",
        ["none", "std"],
        { default: "none" },
      ),
      range: white,
    },
  },
  normalize: {
    doc: "Subtracts a number from each channel and divides by another.",
    arguments: {
      mean: channels("Subtracted from each channel, in the order of `color`.", {
        min: -1000,
        max: 1000,
        default: [0, 0, 0],
      }),
      std: channels("Each channel is divided by it after that.", { min: 1e-6, max: 1000, default: [1, 1, 1] }),
      range: white,
      color: choice("The order of the channels afterwards; grey: one.", ["rgb", "bgr", "grey"], { default: "rgb" }),
    },
  },
  random_erasing: {
    doc: "Erases a rectangle of random area, proportion and place in some of the images, after the mean was subtracted.",
    source: "arXiv:1708.04896",
    random: true,
    idle: { probability: 0 },
    arguments: {
      probability: number("Share of the images in which a part is erased.", { min: 0, max: 1, default: 0.5 }),
      scale: interval("Share of the image's area that is erased.", { min: 0.001, max: 1, default: [0.02, 0.33] }),
      ratio: interval("Height by width of the part, drawn evenly on a logarithmic scale.", {
        min: 0.05,
        max: 20,
        default: [0.3, 3.3],
      }),
      fill: choice("With zeros, which are the mean, or with numbers of a normal distribution.", ["zero", "noise"], {
        default: "zero",
      }),
    },
  },
  rand_augment: {
    doc:
      "Some of fourteen operations on geometry and colours, drawn for each image, all of one strength: torchvision's " +
      "RandAugment, to the level as on Pillow's images; boxes can't follow.",
    source: "arXiv:1909.13719",
    random: true,
    idle: { num_ops: 0 },
    arguments: {
      num_ops: integer("Operations, one after the other.", { min: 0, max: 32, default: 2 }),
      magnitude: integer("Their strength, counted from 0 to below `num_magnitude_bins`.", {
        min: 0,
        max: 1023,
        default: 9,
      }),
      ...augmenting,
    },
  },
  trivial_augment: {
    doc:
      "One of the operations of `rand_augment`, drawn for each image, of a strength that is drawn, too, and may be " +
      "greater: torchvision's TrivialAugmentWide.",
    source: "arXiv:2103.10158",
    random: true,
    arguments: augmenting,
  },
} as const satisfies Readonly<Record<string, Omit<TransformWord, "name">>>);

/** @returns undefined where there is none of that name */
export function transformWord(kind: string): TransformWord | undefined {
  return own<TransformWord>(TRANSFORM_WORDS, kind);
}

const { pad, pad_to, center_crop, resize, resize_shorter, normalize } = TRANSFORM_WORDS;

/** The words of a `preprocess` declaration: those that leave nothing to chance and need nothing measured. */
export const PREPROCESS_WORDS = { resize, resize_shorter, center_crop, pad, pad_to, normalize };
