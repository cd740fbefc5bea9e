/** How well independent labels are told: average precision, which asks for an order alone, and F1 at a threshold. */

/** Of one label. */
export interface LabelScore {
  readonly name: string;
  /** Images that have it. */
  readonly images: number;
  /** Average precision, 0 to 1; null where no image has it. */
  readonly AP: number | null;
  /** Of the images that were said to have it, those that do; null where none was. */
  readonly precision: number | null;
  /** Of the images that have it, those that were said to; null where none has. */
  readonly recall: number | null;
  /** 2 TP / (2 TP + FP + FN); null where no image has it. */
  readonly F1: number | null;
}

/** F1 of all labels: of all answers together, and the mean of those labels that some image has. */
export interface F1 {
  /** Labels with a probability above it are said to be there. */
  readonly threshold: number;
  readonly micro: number;
  readonly macro: number;
}

/** How labels were told, over all images. */
export interface LabelScores {
  readonly images: number;
  /** Mean of the average precisions of those labels that some image has, 0 to 1; NaN where no image has any. */
  readonly mAP: number;
  readonly f1: F1;
  /** Share of images of which not every label was told right at the threshold, 0 to 1. */
  readonly error: number;
  /** In the order of the data's classes. */
  readonly labels: readonly LabelScore[];
}

export const THRESHOLD = 0.5;

/** Probabilities of images, and which labels they have. */
export class LabelTally {
  readonly #names: readonly string[];
  readonly #probabilities: Float64Array[] = [];
  readonly #has: Uint8Array[] = [];
  /** Images whose probabilities are not all numbers: nothing of them is right. */
  notNumbers = 0;

  /** @param names of the labels, in the order of the probabilities */
  constructor(names: readonly string[]) {
    this.#names = names;
  }

  get images(): number {
    return this.#has.length;
  }

  /**
   * Adds an image.
   *
   * @param labels that it has
   * @param probabilities of each label, 0 to 1
   */
  add(labels: readonly number[], probabilities: Float64Array): void {
    const has = new Uint8Array(this.#names.length);
    for (const label of labels) has[label] = 1;
    const isReal = probabilities.every(Number.isFinite);
    if (!isReal) this.notNumbers++;
    // Below all others where it should be above, and the other way round.
    this.#probabilities.push(isReal ? probabilities : Float64Array.from(has, (there) => (there === 1 ? -1 : 2)));
    this.#has.push(has);
  }

  result(threshold = THRESHOLD): LabelScores {
    const counts = this.#names.map((name, label) => this.#count(name, label, threshold));
    const known = counts.filter(({ score }) => score.images > 0);
    const mean = (of: (each: LabelScore) => number | null): number =>
      known.reduce((sum, { score }) => sum + of(score)!, 0) / known.length;
    const total = (of: "right" | "said" | "there"): number => counts.reduce((sum, each) => sum + each[of], 0);
    const all = total("said") + total("there");
    return {
      images: this.images,
      mAP: mean(({ AP }) => AP),
      f1: { threshold, micro: all === 0 ? 0 : (2 * total("right")) / all, macro: mean(({ F1: each }) => each) },
      error: this.#has.filter((_, image) => !this.#isRight(image, threshold)).length / this.images,
      labels: counts.map(({ score }) => score),
    };
  }

  #isRight(image: number, threshold: number): boolean {
    const probabilities = this.#probabilities[image]!;
    return this.#has[image]!.every((there, label) => probabilities[label]! > threshold === (there === 1));
  }

  #count(name: string, label: number, threshold: number) {
    const probabilities = Float64Array.from(this.#probabilities, (each) => each[label]!);
    const has = Uint8Array.from(this.#has, (each) => each[label]!);
    let [right, said, there] = [0, 0, 0];
    has.forEach((has, image) => {
      const isSaid = probabilities[image]! > threshold;
      there += has;
      if (isSaid) said++;
      if (isSaid && has === 1) right++;
    });
    const score: LabelScore = {
      name,
      images: there,
      AP: there === 0 ? null : averagePrecision(probabilities, has),
      precision: said === 0 ? null : right / said,
      recall: there === 0 ? null : right / there,
      F1: there === 0 ? null : (2 * right) / (said + there),
    };
    return { score, right, said, there };
  }
}

/**
 * The sum over thresholds of what recall gains, times the precision there; equal scores are one threshold, and nothing is
 * interpolated: scikit-learn's average_precision_score.
 *
 * @param has 1 for what is to be found, else 0; at least one is
 */
export function averagePrecision(scores: Float64Array, has: Uint8Array): number {
  const order = [...scores.keys()].sort((a, b) => scores[b]! - scores[a]!);
  const total = has.reduce((sum, each) => sum + each, 0);
  let [found, before, sum] = [0, 0, 0];
  order.forEach((image, place) => {
    found += has[image]!;
    const next = order[place + 1];
    if (next !== undefined && scores[next] === scores[image]) return;
    sum += ((found - before) / total) * (found / (place + 1));
    before = found;
  });
  return sum;
}
