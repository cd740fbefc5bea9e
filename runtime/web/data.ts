/** Images of a page as a data set. */
import { DataError } from "../data-error.js";
import type { DataSet, LabelledSplit } from "../data/data-set.js";
import type { Image } from "../images/image.js";
import { permutation } from "../random.js";

/** A class, and its images. */
export interface ImageClass {
  readonly name: string;
  readonly images: readonly Image[];
}

/** How images of a page are divided. */
export interface ImagesOptions {
  /** What the data are called in messages. Default `images`. */
  readonly name?: string;
  /**
   * The share of each class's images that is set aside for validation: one at least where there are two, and never all.
   * Default 0.2; 0: none.
   */
  readonly validation?: number;
  /** Decides which they are. Default 1. */
  readonly seed?: number;
}

interface Sample {
  readonly image: Image;
  readonly label: number;
  readonly name: string;
}

/**
 * Images that are there as pixels, with a class each, as data to train on.
 *
 * @throws {DataError} for fewer than two classes, two of one name, and a class without an image
 */
export function openImages(classes: readonly ImageClass[], options: ImagesOptions = {}): DataSet<LabelledSplit> {
  const { name: called = "images", validation: share = 0.2, seed = 1 } = options;
  if (classes.length < 2) throw new DataError(`${called}: two classes are needed at least`);
  if (!(share >= 0 && share < 1)) throw new DataError(`${called}: validation ${share} is no share from 0 to below 1`);
  const train: Sample[] = [];
  const validation: Sample[] = [];
  const seen = new Set<string>();
  for (const [label, { name, images }] of classes.entries()) {
    if (seen.has(name)) throw new DataError(`${called}: two classes are named ${name}`);
    seen.add(name);
    if (images.length === 0) throw new DataError(`${called}: class ${name} has no image`);
    const wanted = share === 0 ? 0 : Math.max(1, Math.round(images.length * share));
    const aside = new Set(
      permutation(images.length, `aside ${seed} ${name}`).subarray(0, Math.min(images.length - 1, wanted)),
    );
    images.forEach((image, index) => {
      (aside.has(index) ? validation : train).push({ image, label, name: `${name} ${index + 1}` });
    });
  }
  const size = sameSize([...train, ...validation]);
  const split = (name: "train" | "validation", samples: readonly Sample[]): LabelledSplit => ({
    name,
    size: samples.length,
    label: (index) => samples[index]!.label,
    reference: (index) => ({ kind: "pixels", name: samples[index]!.name, image: samples[index]!.image }),
    ...(size && { imageSize: size }),
    isLight: true,
  });
  return {
    name: called,
    classes: classes.map(({ name }) => name),
    ...(size && { inputShape: [3, ...size] as const }),
    train: split("train", train),
    validation: split("validation", validation),
    warnings: [],
  };
}

/** Height and width of all, where they are the same. */
function sameSize(samples: readonly Sample[]): readonly [height: number, width: number] | undefined {
  const { width, height } = samples[0]!.image;
  return samples.every(({ image }) => image.width === width && image.height === height) ? [height, width] : undefined;
}
