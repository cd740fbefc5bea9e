/** Orders that follow from a seed. */
import { randomStream, type Random } from "./arithmetic.js";

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
