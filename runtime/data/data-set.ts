/** Images of which something is known, wherever they come from: of each its class, its classes, or the objects in it with their boxes. */
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
  /** Index of the image's class; absent where it has any number of them, or objects are annotated instead. */
  readonly label?: (index: number) => number;
  /** Indices of the classes that the image has, each once, in their order; absent where it has one, or objects. */
  readonly labels?: (index: number) => readonly number[];
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

/** Images with any number of classes each. */
export type MultiLabelSplit = Split & Required<Pick<Split, "labels">>;

/** Images whose classes are known: one, or any number. */
export type ClassifiedSplit = LabelledSplit | MultiLabelSplit;

/** Images with objects in them. */
export type AnnotatedSplit = Split & Required<Pick<Split, "annotations">>;

/** Some of the samples, in the order in which they are named. */
export function subset<S extends Split>(split: S, indices: Uint32Array): S {
  const { label, labels, annotations } = split;
  return {
    ...split,
    size: indices.length,
    reference: (index) => split.reference(indices[index]!),
    ...(label && { label: (index: number) => label(indices[index]!) }),
    ...(labels && { labels: (index: number) => labels(indices[index]!) }),
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

/** Whether each of the images has any number of classes. */
export function isMultiLabel(split: Split): split is MultiLabelSplit {
  return split.labels !== undefined;
}

/** Whether objects in the images are annotated. */
export function isAnnotated(split: Split): split is AnnotatedSplit {
  return split.annotations !== undefined;
}

/**
 * Data to train or judge a classifier on. Images with objects in them have the classes of those; whether an object is
 * difficult, or a group that nobody told apart, is not asked.
 *
 * @throws {DataError} where parts are of different kinds
 */
export function classifierData(data: DataSet): DataSet<ClassifiedSplit> {
  const { train, validation, test, whole, ...rest } = data;
  const parts = [train, validation, test, whole].filter((split) => split !== undefined);
  if (parts.every(isLabelled) || parts.every(isMultiLabel)) return data as DataSet<ClassifiedSplit>;
  if (!parts.every(isAnnotated)) throw new DataError(`${data.name}: its parts know different things of their images`);
  return {
    ...rest,
    train: classesOfObjects(train as AnnotatedSplit),
    validation: classesOfObjects(validation as AnnotatedSplit),
    ...(test && { test: classesOfObjects(test as AnnotatedSplit) }),
    ...(whole && { whole: classesOfObjects(whole as AnnotatedSplit) }),
  };
}

/** The classes of the objects in each image. They are looked at when the first is asked for. */
export function classesOfObjects({ annotations, ...split }: AnnotatedSplit): MultiLabelSplit {
  let known: readonly (readonly number[])[] | undefined;
  const read = (): readonly (readonly number[])[] => {
    const { images, categories, objects } = annotations();
    const places = new Map(categories.map(({ id }, index) => [id, index]));
    const found = new Map(images.map(({ id }) => [id, new Set<number>()]));
    for (const { image, category } of objects) found.get(image)!.add(places.get(category)!);
    return images.map(({ id }) => [...found.get(id)!].sort((a, b) => a - b));
  };
  return { ...split, labels: (index) => (known ??= read())[index]! };
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
