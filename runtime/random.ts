/** Chance that follows from a seed, the same bits on every machine: of operations alone that IEEE 754 rounds exactly. */
import { randomStream, type Random } from "../compiler/emit/random.js";

export { logarithm, randomStream, fillNormal, type Random } from "../compiler/emit/random.js";

/** The exponential function for arguments from -20 to 20, to about 1e-15 relative. */
export function exponential(x: number): number {
  // exp x = 2^k exp r with r within half of log 2; the series of exp r ends below the last bit.
  const k = Math.round(x / Math.LN2);
  const r = x - k * Math.LN2;
  let series = 1;
  for (let n = 18; n >= 1; n--) series = 1 + (series * r) / n;
  return series * 2 ** k;
}

/** Puts the elements in random order, in place; every order is as likely (Fisher and Yates). */
export function shuffle(elements: Uint32Array, random: Random): Uint32Array {
  for (let last = elements.length - 1; last > 0; last--) {
    const chosen = Math.floor(random() * (last + 1));
    const element = elements[chosen]!;
    elements[chosen] = elements[last]!;
    elements[last] = element;
  }
  return elements;
}

/** 0 to size - 1 in an order of its own for every text. */
export function permutation(size: number, text: string): Uint32Array {
  const elements = new Uint32Array(size);
  for (let i = 0; i < size; i++) elements[i] = i;
  return shuffle(elements, randomStream(text));
}
