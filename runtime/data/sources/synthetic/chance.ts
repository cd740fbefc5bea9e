/** Colours, directions and numbers at random; of operations alone that IEEE 754 rounds exactly. */
import type { Random } from "../../../random.js";
import type { Point } from "./outlines.js";

export type Interval = readonly [low: number, high: number];
/** 0 to 255. */
export type Colour = readonly [red: number, green: number, blue: number];

export function numberIn([low, high]: Interval, random: Random): number {
  return low + (high - low) * random();
}

/** Both ends may come. */
export function integerIn([low, high]: Interval, random: Random): number {
  return low + Math.floor((high - low + 1) * random());
}

export function anyColour(random: Random): Colour {
  return [255 * random(), 255 * random(), 255 * random()];
}

/** @param contrast least sum of the differences of red, green and blue; where none is found, the best that was tried */
export function colourUnlike(others: readonly Colour[], contrast: number, random: Random): Colour {
  let best = anyColour(random);
  for (let tries = 0; tries < 12; tries++) {
    if (others.every((other) => distance(best, other) >= contrast)) break;
    const next = anyColour(random);
    if (leastDistance(next, others) > leastDistance(best, others)) best = next;
  }
  return best;
}

function leastDistance(colour: Colour, others: readonly Colour[]): number {
  return Math.min(...others.map((other) => distance(colour, other)));
}

function distance(a: Colour, b: Colour): number {
  return Math.abs(a[0] - b[0]) + Math.abs(a[1] - b[1]) + Math.abs(a[2] - b[2]);
}

export function mixed(a: Colour, b: Colour, share: number): Colour {
  return [mix(a[0], b[0], share), mix(a[1], b[1], share), mix(a[2], b[2], share)];
}

/** Cosine and sine of the angle with this tangent of its half. */
export function direction(t: number): Point {
  return [(1 - t * t) / (1 + t * t), (2 * t) / (1 + t * t)];
}

/** Cosine and sine of an angle: any quarter, and nearly any angle in it as likely as another. */
export function anyDirection(random: Random): Point {
  const [x, y] = direction(random());
  const quarter = Math.floor(4 * random());
  return quarter === 0 ? [x, y] : quarter === 1 ? [-y, x] : quarter === 2 ? [-x, -y] : [y, -x];
}

export function mix(a: number, b: number, share: number): number {
  return a + (b - a) * share;
}

export function fraction(x: number): number {
  return x - Math.floor(x);
}

export function clamp(x: number, low: number, high: number): number {
  return x < low ? low : x > high ? high : x;
}
