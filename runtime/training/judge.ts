/** What a validation comes to: errors from scores, and the losses that the network states. */
import { LabelTally, type F1 } from "../classification/label-tally.js";
import { isMultiLabel, type ClassifiedSplit } from "../data/data-set.js";
import type { Evaluated, NamedLoss } from "./engine.js";
import { added, errorsOf, measured, NOTHING } from "./scores.js";
import type { TargetBatch } from "./targets.js";

/** Means over the images. */
export interface Judged {
  /**
   * The weighted sum of the losses that the network states; else the cross entropy of the mean probabilities of an image's
   * views. Absent of a detector.
   */
  readonly loss?: number;
  /** Each loss that the network states, by its name and without its weight. */
  readonly losses?: Readonly<Record<string, number>>;
  /** Top-1, 0 to 1; where images have any number of labels, the share of which not every label is right at one half. Absent of a detector. */
  readonly error?: number;
  /** Top-5; absent where images have any number of labels. */
  readonly error5?: number;
  /** Mean average precision, 0 to 1: where images have any number of labels, and some have one. */
  readonly mAP?: number;
  /** There where `mAP` is. */
  readonly f1?: F1;
  /** Of a detector: COCO's average precision, the mean over overlaps from 0.5 to 0.95, and at 0.5; 0 to 1. */
  readonly AP?: number;
  readonly AP50?: number;
  /** COCO's average precision of masks, of a detector that learns them. */
  readonly maskAP?: number;
  /** Of what a detector proposes, while its head is not learned yet: COCO's average recall, by the 100 best of an image. */
  readonly AR?: number;
}

/** What scores of a batch come to, as numbers of its images one after the other: of whatever process, to be added up by any. */
export interface Measured {
  readonly images: number;
  readonly scores: Float64Array;
  readonly stated?: Evaluated["stated"];
}

/** Judges scores, batch by batch. */
interface ScoreJudge {
  readonly images: number;
  measure(batch: Pick<TargetBatch, "targets" | "views">, scores: Float32Array): Pick<Measured, "images" | "scores">;
  add(measured: Pick<Measured, "scores">): void;
  result(): Omit<Judged, "loss" | "losses"> & { readonly loss?: number };
}

/** Adds up over the batches of a validation. */
export class Judge {
  readonly #scores: ScoreJudge;
  #loss = 0;
  #losses: readonly NamedLoss[] = [];

  constructor(split: ClassifiedSplit, classes: readonly string[]) {
    this.#scores = isMultiLabel(split) ? new LabelJudge(classes) : new ClassJudge();
  }

  /** Samples so far. */
  get images(): number {
    return this.#scores.images;
  }

  measure(batch: Pick<TargetBatch, "targets" | "views">, { scores, stated }: Evaluated): Measured {
    return { ...this.#scores.measure(batch, scores), ...(stated && { stated }) };
  }

  /** In the order of the images. */
  add(measured: Measured): void {
    this.#scores.add(measured);
    const { stated, images: added } = measured;
    if (stated === undefined) return;
    this.#loss += stated.loss * added;
    this.#losses = stated.losses.map(({ name, loss }, index) => ({
      name,
      loss: (this.#losses[index]?.loss ?? 0) + loss * added,
    }));
  }

  result(): Judged {
    const { loss, ...judged } = this.#scores.result();
    if (this.#losses.length === 0) return { loss: loss!, ...judged };
    const mean = ({ name, loss }: NamedLoss): NamedLoss => ({ name, loss: loss / this.images });
    return { loss: this.#loss / this.images, losses: lossesByName(this.#losses.map(mean)), ...judged };
  }
}

/** One class an image. */
class ClassJudge implements ScoreJudge {
  #sums = NOTHING;

  get images(): number {
    return this.#sums.images;
  }

  measure({ targets, views }: Pick<TargetBatch, "targets" | "views">, scores: Float32Array) {
    const labels = Int32Array.from(targets["labels"]!.filter((_, image) => image % views === 0));
    return { images: labels.length, scores: measured(scores, labels, views) };
  }

  add({ scores }: Pick<Measured, "scores">): void {
    this.#sums = added(this.#sums, scores);
  }

  result() {
    return errorsOf(this.#sums);
  }
}

/** Any number of labels an image; the probabilities of its views are averaged. */
class LabelJudge implements ScoreJudge {
  readonly #classes: readonly string[];
  readonly #tally: LabelTally;

  constructor(classes: readonly string[]) {
    this.#classes = classes;
    this.#tally = new LabelTally(classes);
  }

  get images(): number {
    return this.#tally.images;
  }

  /** Of each image the probabilities of all labels, and then 1 for each that it has. */
  measure({ targets, views }: Pick<TargetBatch, "targets" | "views">, scores: Float32Array) {
    const count = this.#classes.length;
    const images = scores.length / (views * count);
    const found = new Float64Array(images * 2 * count);
    for (let image = 0; image < images; image++) {
      const first = image * views * count;
      const mean = found.subarray(image * 2 * count, image * 2 * count + count);
      for (let at = 0; at < views * count; at++) mean[at % count]! += 1 / (1 + Math.exp(-scores[first + at]!)) / views;
      found.set(targets["labels"]!.subarray(first, first + count), image * 2 * count + count);
    }
    return { images, scores: found };
  }

  add({ scores }: Pick<Measured, "scores">): void {
    const count = this.#classes.length;
    for (let first = 0; first < scores.length; first += 2 * count) {
      const has = scores.subarray(first + count, first + 2 * count);
      this.#tally.add(
        [...has.keys()].filter((label) => has[label] === 1),
        scores.slice(first, first + count),
      );
    }
  }

  result() {
    const { mAP, f1, error } = this.#tally.result();
    return Number.isNaN(mAP) ? { error } : { error, mAP, f1 };
  }
}

export function lossesByName(losses: readonly NamedLoss[]): Readonly<Record<string, number>> {
  return Object.fromEntries(losses.map(({ name, loss }) => [name, loss]));
}

/** What a validation is compared by. */
export type Compared = Pick<Judged, "error" | "mAP" | "AP" | "AR">;

/** What validations are compared by, the lower the better: 1 - AP, 1 - mAP, 1 - AR, or the error. */
export function shortfall({ error = 1, mAP, AR, AP = mAP ?? AR }: Compared): number {
  return AP === undefined ? error : 1 - AP;
}

/** The same alone, of all that was measured. */
export function compared({ error, mAP, AP, AR }: Compared): Compared {
  return {
    ...(error !== undefined && { error }),
    ...(mAP !== undefined && { mAP }),
    ...(AP !== undefined && { AP }),
    ...(AR !== undefined && { AR }),
  };
}

const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;

/** What validations are compared by, in words: `error 8.10 %`, `mAP 71.20 %`. */
export function comparedWords({ error = NaN, mAP, AP, AR }: Compared): string {
  if (AP !== undefined) return `AP ${percent(AP)}`;
  if (AR !== undefined) return `AR of proposals ${percent(AR)}`;
  return mAP === undefined ? `error ${percent(error)}` : `mAP ${percent(mAP)}`;
}

/** As the log and the terminal say it: `error 8.10 %, loss 0.4511 (aux 0.6201, head.cross_entropy 0.2651)`. */
export function judgedWords(judged: Judged): string {
  const { error = NaN, loss = NaN, losses = {}, mAP, f1, AP50, maskAP, AR } = judged;
  if (AR !== undefined) return comparedWords(judged);
  if (AP50 !== undefined) {
    const masks = maskAP === undefined ? "" : `, AP of masks ${percent(maskAP)}`;
    return `${comparedWords(judged)}, AP50 ${percent(AP50)}${masks}`;
  }
  const each = Object.entries(losses).map(([name, part]) => `${name} ${part.toPrecision(4)}`);
  const parts = each.length < 2 ? "" : ` (${each.join(", ")})`;
  const labels = f1 === undefined ? [] : [`F1 ${percent(f1.micro)} (macro ${percent(f1.macro)})`];
  const more = mAP === undefined ? [] : [...labels, `error ${percent(error)}`];
  return [comparedWords(judged), ...more, `loss ${loss.toPrecision(4)}${parts}`].join(", ");
}
