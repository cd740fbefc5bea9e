/** Labelled images, wherever they come from. */
import { DataError } from "./error.js";
import type { HeldOutChoice } from "./sources/held-out.js";
import type { SampleReference } from "./sample.js";

/** Labelled images in their parts: for training, for validation, and perhaps for a test. */
export interface DataSet {
  /** For messages and logs: `CIFAR-10`, `shapes`, the folder's name. */
  readonly name: string;
  /** Names of the classes; a label is an index of it. */
  readonly classes: readonly string[];
  /** Shape of every image where it is the same for all: channels, height, width. */
  readonly inputShape?: readonly [channels: 3, height: number, width: number];
  readonly train: Split;
  /** What is looked at while training. */
  readonly validation: Split;
  /** What is looked at once, after training; absent where the data come without. */
  readonly test?: Split;
  /** All images, training's and validation's together, where the data come undivided. */
  readonly whole?: Split;
  /** How the validation images were set aside, where the data come without. */
  readonly heldOut?: HeldOutChoice;
  /** What was seen when the data were listed and may be a mistake: one line each. */
  readonly warnings: readonly string[];
}

/** Samples in an order of their own, from 0. They are described here and loaded elsewhere, so that a thread can do it. */
export interface Split {
  readonly name: "train" | "validation" | "test" | "all";
  readonly size: number;
  /** Index of the class. */
  readonly label: (index: number) => number;
  /** Where the image is: plain data, a few bytes. */
  readonly reference: (index: number) => SampleReference;
  /** Height and width of every image where they are the same for all. */
  readonly imageSize?: readonly [height: number, width: number];
  /** Loading is so cheap that other threads are not worth it. */
  readonly isLight: boolean;
}

/** Some of the samples, in the order in which they are named. */
export function subset(split: Split, indices: Uint32Array): Split {
  return {
    ...split,
    size: indices.length,
    label: (index) => split.label(indices[index]!),
    reference: (index) => split.reference(indices[index]!),
  };
}

/**
 * What an evaluation looks at: the split that is asked for, else the test's, all of undivided data, or the validation's.
 *
 * @throws {DataError} where there is none such
 */
export function evaluationSplit(data: DataSet, asked?: "train" | "validation" | "test"): Split {
  const split = asked === undefined ? (data.test ?? data.whole ?? data.validation) : data[asked];
  if (split === undefined || split.size === 0) throw new DataError(`${data.name}: has no ${asked ?? "test"} images`);
  return split;
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
