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
 * Adds the images of a batch.
 *
 * @param scores float32[labels * views, classes], what goes into the softmax; the probabilities of an image's views are
 *   averaged
 */
export function tally(before: Tally, scores: Float32Array, labels: Int32Array, views: number): Tally {
  const classes = scores.length / (labels.length * views);
  let { loss, correct, correct5 } = before;
  labels.forEach((label, image) => {
    const first = image * views * classes;
    const probabilities = meanProbabilities(scores.subarray(first, first + views * classes), views);
    const right = probabilities[label]!;
    // Of equals the lower number comes first, as in a classification.
    let above = 0;
    probabilities.forEach((other, index) => {
      if (other > right || (other === right && index < label) || Number.isNaN(right)) above++;
    });
    loss -= Math.log(Math.max(right, Number.MIN_VALUE));
    if (above === 0) correct++;
    if (above < 5) correct5++;
  });
  return { images: before.images + labels.length, loss, correct, correct5 };
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
