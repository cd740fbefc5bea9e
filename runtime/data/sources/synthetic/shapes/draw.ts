/**
 * An image with one of ten shapes in it: anywhere, of any colour, turned, stretched and slanted, on a patterned ground
 * among other things, under noise. Nothing but the outline tells the class. Of operations alone that IEEE 754 rounds
 * exactly, so that it is the same image on every machine.
 */
import { randomStream, type Random } from "../../../../random.js";
import {
  anyColour,
  anyDirection,
  colourUnlike,
  direction,
  integerIn,
  mixed,
  numberIn,
  type Colour,
} from "../chance.js";
import { fill } from "../fill.js";
import { OUTLINES, type Point } from "../outlines.js";
import { anyPattern } from "../patterns.js";

export const SIDE = 32;

/** What makes it hard; chosen so that a small residual network is right after some epochs and a linear model never. */
const HARDNESS = {
  /** Half the shape's extent, in pixels. */
  radius: [9, 13],
  /** Tangent of half the angle that it is turned by: an eighth of a circle to either side. */
  turn: [-0.4142, 0.4142],
  /** Width by height before it is turned. */
  stretch: [0.75, 1.33],
  slant: [-0.25, 0.25],
  /** How far the shape may reach beyond the border, in pixels. */
  beyond: 1.5,
  /** Least sum of the differences of red, green and blue between shape and ground. */
  contrast: 230,
  /** How far the second colour of a pattern goes from the first towards another one. */
  groundPattern: 0.5,
  shapePattern: 0.3,
  /** Other things behind and before the shape: small polygons and thin lines. */
  clutterBehind: [0, 2],
  linesBefore: [0, 1],
  /** Greatest change of a value by noise, itself drawn for each image. */
  noise: [2, 16],
} as const;

/**
 * @param label which of the outlines
 * @param key what all random choices follow from
 * @returns red, green and blue of 32x32 pixels, row by row, 0 to 255
 */
export function drawShape(label: number, key: string): Uint8Array {
  const random = randomStream(key);
  const canvas = new Float32Array(SIDE * SIDE * 3);
  const coverage = new Float32Array(SIDE * SIDE);
  const first = anyColour(random);
  const ground: readonly [Colour, Colour] = [first, mixed(first, anyColour(random), HARDNESS.groundPattern)];
  paint(canvas, undefined, ground, random);
  for (let count = integerIn(HARDNESS.clutterBehind, random); count > 0; count--) {
    fill([random() < 0.5 ? smallPolygon(random) : thinLine(random)], SIDE, coverage);
    paint(canvas, coverage, [anyColour(random), anyColour(random)], random);
  }
  const colours = [
    colourUnlike(ground, HARDNESS.contrast, random),
    colourUnlike(ground, HARDNESS.contrast, random),
  ] as const;
  fill(placed(label, random), SIDE, coverage);
  paint(canvas, coverage, [colours[0], mixed(colours[0], colours[1], HARDNESS.shapePattern)], random);
  for (let count = integerIn(HARDNESS.linesBefore, random); count > 0; count--) {
    fill([thinLine(random)], SIDE, coverage);
    paint(canvas, coverage, [anyColour(random), anyColour(random)], random);
  }
  return developed(canvas, random);
}

/** The outline at a place of its own: turned, stretched, slanted and scaled. */
function placed(label: number, random: Random): Point[][] {
  const radius = numberIn(HARDNESS.radius, random);
  const stretch = Math.sqrt(numberIn(HARDNESS.stretch, random));
  const slant = numberIn(HARDNESS.slant, random);
  const [cos, sin] = direction(numberIn(HARDNESS.turn, random));
  const room = SIDE / 2 - radius + HARDNESS.beyond;
  const centerX = SIDE / 2 + room * (2 * random() - 1);
  const centerY = SIDE / 2 + room * (2 * random() - 1);
  return OUTLINES[label]!.lines.map((line) =>
    line.map(([x, y]): Point => {
      const u = x * stretch + slant * y;
      const v = y / stretch;
      return [centerX + radius * (cos * u - sin * v), centerY + radius * (sin * u + cos * v)];
    }),
  );
}

/** Three to five corners near one another: too small to be taken for the shape. */
function smallPolygon(random: Random): Point[] {
  const [x, y] = [SIDE * random(), SIDE * random()];
  const reach = 2 + 3 * random();
  return Array.from({ length: 3 + Math.floor(3 * random()) }, (): Point => [
    x + reach * (2 * random() - 1),
    y + reach * (2 * random() - 1),
  ]);
}

function thinLine(random: Random): Point[] {
  const [x, y] = [SIDE * random(), SIDE * random()];
  const [cos, sin] = anyDirection(random);
  const long = 5 + 14 * random();
  const half = 0.4 + 0.5 * random();
  return [
    [x - half * sin, y + half * cos],
    [x + half * sin, y - half * cos],
    [x + long * cos + half * sin, y + long * sin - half * cos],
    [x + long * cos - half * sin, y + long * sin + half * cos],
  ];
}

/** A pattern between two colours, over all of the canvas or where something covers it. */
function paint(
  canvas: Float32Array,
  coverage: Float32Array | undefined,
  [first, second]: readonly [Colour, Colour],
  random: Random,
): void {
  const pattern = anyPattern(SIDE, random);
  for (let y = 0, i = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++, i++) {
      const cover = coverage ? Math.min(1, coverage[i]!) : 1;
      if (cover === 0) continue;
      const share = pattern(x, y);
      for (let channel = 0, at = i * 3; channel < 3; channel++, at++) {
        const colour = first[channel]! + (second[channel]! - first[channel]!) * share;
        canvas[at] = canvas[at]! + (colour - canvas[at]!) * cover;
      }
    }
  }
}

/** Noise, and bytes. */
function developed(canvas: Float32Array, random: Random): Uint8Array {
  const noise = numberIn(HARDNESS.noise, random);
  const out = new Uint8Array(canvas.length);
  // Marsaglia's xorshift: 3,072 numbers that nobody tells from better ones, in a third of the time.
  let state = 1 + Math.floor(4294967295 * random());
  for (let i = 0; i < out.length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    const level = canvas[i]! + noise * (state / 2147483648) + 0.5;
    out[i] = level < 0 ? 0 : level > 255 ? 255 : level;
  }
  return out;
}
