/** Patterns between two colours. */
import type { Random } from "../../../random.js";
import { anyDirection, clamp, fraction, mix } from "./chance.js";

/** Share of the second colour at a place, 0 to 1. */
export type Pattern = (x: number, y: number) => number;

/** @param side of the square that it is for, in pixels */
export function anyPattern(side: number, random: Random): Pattern {
  return PATTERNS[Math.floor(random() * PATTERNS.length)]!(side, random);
}

const PATTERNS: readonly ((side: number, random: Random) => Pattern)[] = [
  function gradient(side, random) {
    const [cos, sin] = anyDirection(random);
    return (x, y) => clamp(0.5 + ((x - side / 2) * cos + (y - side / 2) * sin) / side, 0, 1);
  },
  function stripes(_side, random) {
    const [cos, sin] = anyDirection(random);
    const period = 4 + 8 * random();
    const start = random();
    return (x, y) => Math.abs(1 - 2 * fraction((x * cos + y * sin) / period + start));
  },
  function checks(_side, random) {
    const side = 3 + Math.floor(5 * random());
    const [left, top] = [Math.floor(8 * random()), Math.floor(8 * random())];
    return (x, y) => (Math.floor((x + left) / side) + Math.floor((y + top) / side)) % 2;
  },
  function clouds(side, random) {
    const cells = 3 + Math.floor(6 * random());
    const values = Float32Array.from({ length: (cells + 1) * (cells + 1) }, random);
    return (x, y) => {
      const [u, v] = [(x * cells) / side, (y * cells) / side];
      const at = Math.floor(v) * (cells + 1) + Math.floor(u);
      const upper = mix(values[at]!, values[at + 1]!, fraction(u));
      const lower = mix(values[at + cells + 1]!, values[at + cells + 2]!, fraction(u));
      return mix(upper, lower, fraction(v));
    };
  },
];
