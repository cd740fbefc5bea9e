/** Images of which something is known, wherever they come from: of each its class, or the objects in it with their boxes. */
import { DataError } from "../data-error.js";
import type { Annotations } from "./objects.js";
import type { SplitName } from "./reader.js";
import type { SampleReference } from "./sample.js";
import type { HeldOutChoice } from "./sources/held-out.js";

/** Images in their parts: for training, for validation, and perhaps for a test. */
export interface DataSet<S extends Split = Split> {
  /** For messages and logs: `CIFAR-10`, `shapes`, the folder's or the file's name. */
  readonly name: string;
  /** Names of the classes, of images or of objects; a label is an index of it. */
  readonly classes: readonly string[];
  /** Shape of every image where it is the same for all: channels, height, width. */
  readonly inputShape?: readonly [channels: 3, height: number, width: number];
  readonly train: S;
  /** What is looked at while training. */
  readonly validation: S;
  /** What is looked at once, after training; absent where the data come without. */
  readonly test?: S;
  /** All images, training's and validation's together, where the data come undivided. */
  readonly whole?: S;
  /** How the validation images were set aside, where the data come without. */
  readonly heldOut?: HeldOutChoice;
  /** What was seen when the data were listed and may be a mistake: one line each. */
  readonly warnings: readonly string[];
}

/** Samples in an order of their own, from 0. They are described here and loaded elsewhere, so that a thread can do it. */
export interface Split {
  readonly name: SplitName;
  readonly size: number;
  /** Index of the image's class; absent where objects are annotated instead. */
  readonly label?: (index: number) => number;
  /** The objects in the images: image `index` is `annotations().images[index]`. Absent where images have a class each. */
  readonly annotations?: () => Annotations;
  /** Where the image is: plain data, a few bytes. */
  readonly reference: (index: number) => SampleReference;
  /** Height and width of every image where they are the same for all. */
  readonly imageSize?: readonly [height: number, width: number];
  /** Loading is so cheap that other threads are not worth it. */
  readonly isLight: boolean;
}

/** Images with a class each. */
export type LabelledSplit = Split & Required<Pick<Split, "label">>;

/** Images with objects in them. */
export type AnnotatedSplit = Split & Required<Pick<Split, "annotations">>;

/** Some of the samples, in the order in which they are named. */
export function subset<S extends Split>(split: S, indices: Uint32Array): S {
  const { label, annotations } = split;
  return {
    ...split,
    size: indices.length,
    reference: (index) => split.reference(indices[index]!),
    ...(label && { label: (index: number) => label(indices[index]!) }),
    ...(annotations && { annotations: () => annotationsOf(annotations(), indices) }),
  };
}

function annotationsOf(all: Annotations, indices: Uint32Array): Annotations {
  const images = Array.from(indices, (index) => all.images[index]!);
  const ids = new Set(images.map(({ id }) => id));
  return { ...all, images, objects: all.objects.filter(({ image }) => ids.has(image)) };
}

/**
 * What an evaluation looks at: the split that is asked for, else the test's, all of undivided data, or the validation's.
 *
 * @throws {DataError} where there is none such
 */
export function evaluationSplit<S extends Split>(data: DataSet<S>, asked?: "train" | "validation" | "test"): S {
  const split = asked === undefined ? (data.test ?? data.whole ?? data.validation) : data[asked];
  if (split === undefined || split.size === 0) throw new DataError(`${data.name}: has no ${asked ?? "test"} images`);
  return split;
}

/** Whether each of the images has a class. */
export function isLabelled(split: Split): split is LabelledSplit {
  return split.label !== undefined;
}

/** Whether objects in the images are annotated. */
export function isAnnotated(split: Split): split is AnnotatedSplit {
  return split.annotations !== undefined;
}

/**
 * Data to train a classifier on.
 *
 * @throws {DataError} where images have objects in them and no class of their own
 */
export function labelledData(data: DataSet): DataSet<LabelledSplit> {
  const { train, validation, test, whole } = data;
  if ([train, validation, test, whole].every((split) => split === undefined || isLabelled(split))) {
    return data as DataSet<LabelledSplit>;
  }
  throw new DataError(
    `${data.name}: its images have objects with boxes in them; a classifier needs a class for each image`,
  );
}

/**
 * For a network with a number of classes.
 *
 * @throws {DataError}
 */
export function checkClasses(data: DataSet, classes: number): void {
  if (data.classes.length === classes) return;
  throw new DataError(`${data.name} has ${data.classes.length} classes, the network tells ${classes} apart`);
}
