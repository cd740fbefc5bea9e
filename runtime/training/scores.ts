/** Errors from scores. */

/** Sums over images, to be divided by their number. */
export interface Tally {
  readonly images: number;
  /** Natural logarithm of the inverse of the probability of the right class. */
  readonly loss: number;
  readonly correct: number;
  /** The right class is among the five likeliest. */
  readonly correct5: number;
}

export const NOTHING: Tally = { images: 0, loss: 0, correct: 0, correct5: 0 };

/**
 * Of each image of a batch its loss, and how many classes are likelier than the right one.
 *
 * @param scores float32[labels * views, classes], what goes into the softmax; the probabilities of an image's views are
 *   averaged
 */
export function measured(scores: Float32Array, labels: Int32Array, views: number): Float64Array {
  const classes = scores.length / (labels.length * views);
  const found = new Float64Array(2 * labels.length);
  labels.forEach((label, image) => {
    const first = image * views * classes;
    const probabilities = meanProbabilities(scores.subarray(first, first + views * classes), views);
    const right = probabilities[label]!;
    // Of equals the lower number comes first, as in a classification.
    let above = 0;
    probabilities.forEach((other, index) => {
      if (other > right || (other === right && index < label) || Number.isNaN(right)) above++;
    });
    found.set([-Math.log(Math.max(right, Number.MIN_VALUE)), above], 2 * image);
  });
  return found;
}

/** Adds what was {@link measured}. */
export function added(before: Tally, found: Float64Array): Tally {
  let { loss, correct, correct5 } = before;
  for (let at = 0; at < found.length; at += 2) {
    loss += found[at]!;
    if (found[at + 1]! === 0) correct++;
    if (found[at + 1]! < 5) correct5++;
  }
  return { images: before.images + found.length / 2, loss, correct, correct5 };
}

function meanProbabilities(scores: Float32Array, views: number): Float64Array {
  const classes = scores.length / views;
  const mean = new Float64Array(classes);
  for (let view = 0; view < views; view++) {
    const each = scores.subarray(view * classes, (view + 1) * classes);
    const largest = each.reduce((a, b) => Math.max(a, b), -Infinity);
    let sum = 0;
    for (const score of each) sum += Math.exp(score - largest);
    for (let i = 0; i < classes; i++) mean[i]! += Math.exp(each[i]! - largest) / sum / views;
  }
  return mean;
}

/** Means, 0 to 1 but for the loss. */
export function errorsOf({ images, loss, correct, correct5 }: Tally): {
  loss: number;
  error: number;
  error5: number;
} {
  return { loss: loss / images, error: 1 - correct / images, error5: 1 - correct5 / images };
}
