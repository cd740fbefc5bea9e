/** Chance that follows from a seed, the same bits on every machine: of operations alone that IEEE 754 rounds exactly. */
import { fillNormal, logarithm, randomStream, type Random } from "../compiler/emit/random.js";

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

/** A number from 0 to 1 of the beta distribution: a number of one gamma distribution, divided by its sum with another's. */
export function beta(a: number, b: number, random: Random): number {
  // In logarithms: of a small shape most numbers are below the least that a float can be.
  const difference = logGamma(b, random) - logGamma(a, random);
  if (Math.abs(difference) > 20) return difference > 0 ? 0 : 1;
  return 1 / (1 + exponential(difference));
}

/** The logarithm of a number of the gamma distribution of a shape (Marsaglia and Tsang, 2000). */
function logGamma(shape: number, random: Random): number {
  // Above 0, whose logarithm there is.
  const uniform = (): number => 1 - random();
  if (shape < 1) return logGamma(shape + 1, random) + logarithm(uniform()) / shape;
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  const normal = new Float32Array(1);
  for (;;) {
    fillNormal(normal, 1, random);
    const x = normal[0]!;
    const root = 1 + c * x;
    if (root <= 0) continue;
    const log = 3 * logarithm(root);
    if (logarithm(uniform()) < (x * x) / 2 + d * (1 - root * root * root + log)) return logarithm(d) + log;
  }
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
