/** Batches of a split, with something done about samples that can't be read. */
import type { BatchOrder, Failure, MadeBatch } from "./batch.js";
import type { Split } from "./data-set.js";
import { DataError } from "../data-error.js";
import type { BatchPlan } from "./order.js";
import type { Pipeline } from "../images/transforms/pipeline.js";

/** Samples and their classes, ready for a network. */
export interface Unwaited {
  /** Number of the batch, from the beginning of the training or of the split. */
  readonly step: number;
  readonly epoch: number;
  /** [images, channels, height, width]; the images of a sample are one after the other. */
  readonly shape: readonly [images: number, channels: 1 | 3, height: number, width: number];
  /** float32 of that shape: the consumer's own. */
  readonly images: Float32Array<ArrayBuffer>;
  /** Images made of each sample: 10 for ten crops. */
  readonly views: number;
  /** Class of each sample. */
  readonly labels: Int32Array;
  /** Index of each sample in its split. */
  readonly indices: Uint32Array;
}

/** Samples that are tried in the place of an unreadable one. */
const SUBSTITUTES = 100;

export class SplitReader {
  readonly #split: Split;
  readonly #seed: number;
  readonly #pipeline: Pick<Pipeline, "channels" | "views">;
  readonly #make: (order: BatchOrder) => Promise<MadeBatch>;
  readonly #onUnreadable: (message: string) => void;

  /** @param onUnreadable is called with a line for every unreadable sample met, again when it is met again; may throw */
  constructor(
    split: Split,
    seed: number,
    pipeline: Pick<Pipeline, "channels" | "views">,
    make: (order: BatchOrder) => Promise<MadeBatch>,
    onUnreadable: (message: string) => void,
  ) {
    this.#split = split;
    this.#seed = seed;
    this.#pipeline = pipeline;
    this.#make = make;
    this.#onUnreadable = onUnreadable;
  }

  /**
   * @param replace an unreadable sample's place is taken by the next readable one; else it is left out
   * @returns undefined where no sample is left
   */
  async batch(step: number, plan: BatchPlan, replace: boolean): Promise<Unwaited | undefined> {
    const { epoch, indices, passes } = plan.at(step);
    const order = { ...this.#order(epoch, indices), ...(passes && { passes }) };
    const made = await this.#make(order);
    for (const failure of made.failures) this.#onUnreadable(failure.message);
    const whole = made.failures.length === 0 ? { made, indices } : await this.#repaired(made, order, replace);
    const { images, height, width } = whole.made;
    if (whole.indices.length === 0) return undefined;
    const { views, channels } = this.#pipeline;
    const { label } = this.#split;
    return {
      step,
      epoch,
      shape: [whole.indices.length * views, channels, height, width],
      images,
      views,
      labels: label ? Int32Array.from(whole.indices, (index) => label(index)) : new Int32Array(),
      indices: Uint32Array.from(whole.indices),
    };
  }

  #order(epoch: number, indices: readonly number[]): BatchOrder {
    const references = indices.map((index) => this.#split.reference(index));
    return { references, indices, seed: this.#seed, epoch };
  }

  async #repaired(
    made: MadeBatch,
    { indices, epoch }: BatchOrder,
    replace: boolean,
  ): Promise<{ readonly made: MadeBatch; readonly indices: readonly number[] }> {
    const failed = new Map<number, Failure>(made.failures.map((failure) => [failure.place, failure]));
    const readable = indices.filter((_, place) => !failed.has(place));
    if (!replace) return { made, indices: readable };
    const each = made.images.length / Math.max(1, readable.length);
    const parts: { readonly index: number; readonly made: MadeBatch; readonly images: Float32Array }[] = [];
    let read = 0;
    for (const [place, index] of indices.entries()) {
      if (failed.has(place)) parts.push(await this.#substitute(index, epoch, failed.get(place)!));
      else parts.push({ index, made, images: made.images.subarray(read * each, ++read * each) });
    }
    const { height, width } = parts[0]!.made;
    const odd = parts.find((part) => part.made.height !== height || part.made.width !== width);
    if (odd)
      throw new DataError("the images of a batch have different sizes after the transforms; cut all to one size");
    const images = new Float32Array(parts.reduce((sum, part) => sum + part.images.length, 0));
    let at = 0;
    for (const part of parts) {
      images.set(part.images, at);
      at += part.images.length;
    }
    return { made: { images, height, width, failures: [] }, indices: parts.map((part) => part.index) };
  }

  /** The next readable sample of the split, with the augmentation that it has of its own. */
  async #substitute(index: number, epoch: number, failure: Failure) {
    const tries = Math.min(SUBSTITUTES, this.#split.size - 1);
    for (let distance = 1; distance <= tries; distance++) {
      const other = (index + distance) % this.#split.size;
      const made = await this.#make(this.#order(epoch, [other]));
      if (made.failures.length === 0) return { index: other, made, images: made.images };
      this.#onUnreadable(made.failures[0]!.message);
    }
    throw new DataError(`${failure.message}; nor is any of the ${tries} images after it readable`);
  }
}
