/** Right and wrong answers of a classifier, by class. */
import { SessionError } from "../onnx/session-error.js";

/** How often the images of one class were told right. */
export interface ClassAccuracy {
  readonly name: string;
  /** Images of this class that were looked at. */
  readonly images: number;
  /** Of these, those for which it was the likeliest class. */
  readonly correct: number;
}

/** Right and wrong answers, counted. */
export interface Tallied {
  /** Images that were looked at. */
  readonly images: number;
  /** Share of images whose class was not the likeliest, and not among the five likeliest; 0 to 1. */
  readonly error: number;
  readonly error5: number;
  /** In the order of the data's classes. */
  readonly classes: readonly ClassAccuracy[];
  /** How many images of each class (row) were taken for each (column), in the order of the data's classes. */
  readonly confusion: readonly (readonly number[])[];
}

export class ClassTally {
  readonly #classes: readonly string[];
  readonly #outputs: readonly number[];
  /** [classes, classes]: images of the first that were taken for the second. */
  readonly #confusion: Uint32Array;
  readonly #seen: Uint32Array;
  #wrong = 0;
  #wrong5 = 0;
  #notNumbers = 0;
  images = 0;

  /**
   * @param classes names, in the order of the data
   * @param outputs for each the model's output
   */
  constructor(classes: readonly string[], outputs: readonly number[]) {
    this.#classes = classes;
    this.#outputs = outputs;
    this.#confusion = new Uint32Array(classes.length ** 2);
    this.#seen = new Uint32Array(classes.length);
  }

  /**
   * @param label the class that the image is of
   * @param scores of the model's outputs
   * @returns the scores in the order of the data's classes
   * @throws {SessionError} where there is not one score for each class
   */
  add(label: number, scores: Float64Array, model: string): Float64Array {
    const count = this.#classes.length;
    requireScores(scores, count, model);
    const own = Float64Array.from(this.#outputs, (output) => scores[output]!);
    this.images++;
    this.#seen[label]!++;
    if (!own.every(Number.isFinite)) {
      this.#notNumbers++;
      this.#wrong++;
      this.#wrong5++;
      return own;
    }
    const place = placeOf(this.#outputs[label]!, scores);
    if (place >= 1) this.#wrong++;
    if (place >= 5) this.#wrong5++;
    this.#confusion[label * count + this.#outputs.indexOf(best(scores))]!++;
    return own;
  }

  /** @throws {SessionError} where no score at all was a number */
  result(model: string): Tallied {
    if (this.#notNumbers === this.images) throw noNumbers(model);
    const count = this.#classes.length;
    const confusion = this.#classes.map((_, label) => [
      ...this.#confusion.subarray(label * count, (label + 1) * count),
    ]);
    return {
      images: this.images,
      error: this.#wrong / this.images,
      error5: this.#wrong5 / this.images,
      classes: this.#classes.map((name, label): ClassAccuracy => ({
        name,
        images: this.#seen[label]!,
        correct: confusion[label]![label]!,
      })),
      confusion,
    };
  }

  warnings(model: string): string[] {
    return notNumbersLines(model, this.#notNumbers, this.images);
  }
}

/** @throws {SessionError} where there is not one score for each class */
export function requireScores(scores: Float64Array, classes: number, model: string): void {
  if (scores.length === classes) return;
  throw new SessionError(`${model}: gives ${scores.length} scores, and the data have ${classes} classes`);
}

export function noNumbers(model: string): SessionError {
  return new SessionError(
    `${model}: the network's scores are not finite numbers for any image; do its weights and preprocessing fit?`,
  );
}

export function notNumbersLines(model: string, notNumbers: number, images: number): string[] {
  if (notNumbers === 0) return [];
  return [`${model}: scores of ${notNumbers} of ${images} images are not finite numbers: counted as wrong`];
}

/** How many outputs come before this one; of equals the lower number does. */
function placeOf(output: number, scores: Float64Array): number {
  const own = scores[output]!;
  return scores.reduce((before, other, i) => before + (other > own || (other === own && i < output) ? 1 : 0), 0);
}

function best(scores: Float64Array): number {
  return scores.reduce((most, score, i) => (score > scores[most]! ? i : most), 0);
}
