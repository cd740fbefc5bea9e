/** What a validation comes to: errors from scores, and the losses that the network states. */
import type { Evaluated, NamedLoss } from "./engine.js";
import { errorsOf, NOTHING, tally } from "./scores.js";
import type { TargetBatch } from "./targets.js";

/** Means over the images. */
export interface Judged {
  /** The weighted sum of the losses that the network states; else the cross entropy of the mean probabilities of an image's views. */
  readonly loss: number;
  /** Each loss that the network states, by its name and without its weight. */
  readonly losses?: Readonly<Record<string, number>>;
  /** Top-1 and top-5, 0 to 1. */
  readonly error: number;
  readonly error5: number;
}

/** Adds up over the batches of a validation. */
export class Judge {
  #sums = NOTHING;
  #loss = 0;
  #losses: readonly NamedLoss[] = [];
  #stated = false;

  /** Samples so far. */
  get images(): number {
    return this.#sums.images;
  }

  add({ targets, views }: Pick<TargetBatch, "targets" | "views">, { scores, stated }: Evaluated): void {
    const labels = Int32Array.from(targets["labels"]!.filter((_, image) => image % views === 0));
    this.#sums = tally(this.#sums, scores, labels, views);
    if (stated === undefined) return;
    this.#stated = true;
    this.#loss += stated.loss * labels.length;
    this.#losses = stated.losses.map(({ name, loss }, index) => ({
      name,
      loss: (this.#losses[index]?.loss ?? 0) + loss * labels.length,
    }));
  }

  result(): Judged {
    const errors = errorsOf(this.#sums);
    if (!this.#stated) return errors;
    const mean = ({ name, loss }: NamedLoss): NamedLoss => ({ name, loss: loss / this.images });
    return { ...errors, loss: this.#loss / this.images, losses: lossesByName(this.#losses.map(mean)) };
  }
}

export function lossesByName(losses: readonly NamedLoss[]): Readonly<Record<string, number>> {
  return Object.fromEntries(losses.map(({ name, loss }) => [name, loss]));
}

/** As the log and the terminal say it: `error 8.10 %, loss 0.4511 (aux 0.6201, head.cross_entropy 0.2651)`. */
export function judgedWords({ error, loss, losses = {} }: Judged): string {
  const each = Object.entries(losses).map(([name, part]) => `${name} ${part.toPrecision(4)}`);
  const parts = each.length < 2 ? "" : ` (${each.join(", ")})`;
  return `error ${(100 * error).toFixed(2)} %, loss ${loss.toPrecision(4)}${parts}`;
}
