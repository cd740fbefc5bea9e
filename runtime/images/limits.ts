/** How large images and what is made of them may be; docs/limits.md has them all. */

/** Pixels of what a network is given: 5000 x 5000. What it computes of them is some hundred times as much. */
export const MOST_INPUT_PIXELS = 25_000_000;

/** Values of a tensor that is made for a run, or that comes of it: 2 GiB in single precision. */
export const MOST_VALUES = 2 ** 29;

/** Classes of a model. */
export const MOST_CLASSES = 1_000_000;

/** `the batch of 65536 images of 3x224x224`: why a tensor can't be made; undefined where it can. */
export function tooManyValues(shape: readonly number[]): string | undefined {
  const values = shape.reduce((product, side) => product * side, 1);
  if (values <= MOST_VALUES) return undefined;
  return `a tensor of ${shape.join("x")} has more than the ${MOST_VALUES} values that one may have`;
}
