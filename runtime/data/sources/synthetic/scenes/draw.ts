/**
 * An image with several of the ten shapes on a textured ground, and where each is: before and behind one another, cut
 * off at the border, and sometimes a crowd of small ones. Of operations alone that IEEE 754 rounds exactly, so that it
 * is the same image on every machine.
 */
import { randomStream, type Random } from "../../../../random.js";
import {
  anyColour,
  anyDirection,
  clamp,
  colourUnlike,
  integerIn,
  mix,
  mixed,
  numberIn,
  type Colour,
} from "../chance.js";
import { OUTLINES, type Point } from "../outlines.js";
import { anyPattern } from "../patterns.js";
import type { Image } from "../../../../images/image.js";
import type { GroundTruth } from "../../../objects.js";
import type { MaskText } from "../../../masks/text.js";
import { stencil, type Stencil } from "./stencil.js";
import { VisibleParts } from "./visible-parts.js";

/** Size of drawn images. */
export interface SceneSize {
  /** In pixels. Default 320. */
  readonly width?: number;
  /** In pixels. Default 240. */
  readonly height?: number;
}

export const SCENE_SIZE = { width: 320, height: 240 } as const;

/** An object of an image; the label is an index of the shapes' outlines. */
export type SceneObject = Pick<GroundTruth, "box" | "area" | "isCrowd"> & { readonly label: number };

export interface Scene {
  /** Made when it is asked for first: most of the work, and what is where is known without it. */
  readonly image: Image;
  readonly objects: readonly SceneObject[];
  /** The visible pixels of each object, in their order. */
  masks(): readonly MaskText[];
}

const LOOKS = {
  objects: [1, 6],
  /** Half a shape's extent, as a share of the image's shorter side; small ones are more frequent. */
  radius: [0.04, 0.42],
  /** Width by height before it is turned. */
  stretch: [0.75, 1.33],
  slant: [-0.25, 0.25],
  /** Least sum of the differences of red, green and blue between a shape and what it may stand on. */
  contrast: 150,
  groundPattern: 0.6,
  shapePattern: 0.35,
  /** Lines and splinters on the ground. */
  clutter: [3, 12],
  crowds: 0.15,
  crowdMembers: [12, 24],
  crowdRadius: [0.025, 0.04],
  /** Greatest change of a value by noise, itself drawn for each image. */
  noise: [2, 14],
} as const;

/** A shape that finds no place where everything can be seen is tried elsewhere so often, then left out. */
const TRIES = 20;

/** @param key what all random choices follow from */
export function drawScene(key: string, size: SceneSize = {}): Scene {
  const { width, height } = { ...SCENE_SIZE, ...size };
  const random = randomStream(key);
  const canvas = new Canvas(width, height, random);
  const ground: readonly [Colour, Colour] = [anyColour(random), anyColour(random)];
  const grounds = [ground[0], mixed(ground[0], ground[1], LOOKS.groundPattern)] as const;
  canvas.paintGround(grounds);
  for (let count = integerIn(LOOKS.clutter, random); count > 0; count--) {
    const colour = anyColour(random);
    canvas.paint(stencil([splinter(width, height, random)]), [colour, colour]);
  }

  const parts = new VisibleParts(width, height);
  const labels: number[] = [];
  const colours: Colour[] = [];
  const place = (label: number, shapes: readonly Stencil[]): boolean => {
    const covered = parts.tryPlace(shapes);
    if (covered === undefined) return false;
    const behind = covered.map((index) => colours[index]!);
    const colour = colourUnlike([...grounds, ...behind], LOOKS.contrast, random);
    const second = mixed(colour, anyColour(random), LOOKS.shapePattern);
    for (const shape of shapes) canvas.paint(shape, [colour, second]);
    labels.push(label);
    colours.push(colour);
    return true;
  };

  const hasCrowd = random() < LOOKS.crowds;
  if (hasCrowd) {
    const label = anyLabel(random);
    place(label, crowd(label, width, height, random));
  }
  const isCrowd = (index: number) => hasCrowd && index === 0;
  for (let count = integerIn(LOOKS.objects, random); count > 0; count--) {
    const label = anyLabel(random);
    for (let tries = 0; tries < TRIES; tries++) {
      if (place(label, [stencil(shapeAnywhere(label, width, height, random))])) break;
    }
  }
  const objects = parts.measure().map((part, index) => ({ ...part, label: labels[index]!, isCrowd: isCrowd(index) }));
  let developed: Image | undefined;
  return {
    get image() {
      return (developed ??= { width, height, data: canvas.develop() });
    },
    objects,
    masks: () => parts.masks(),
  };
}

function anyLabel(random: Random): number {
  return Math.floor(random() * OUTLINES.length);
}

function shapeAnywhere(label: number, width: number, height: number, random: Random): Point[][] {
  const [low, high] = LOOKS.radius;
  const share = random();
  const radius = Math.min(width, height) * (low + (high - low) * share * share);
  // Up to a third of it may be beyond the border.
  const along = (side: number) => numberIn([radius / 3, side - radius / 3], random);
  return shape(label, [along(width), along(height)], radius, random);
}

/** The outline turned, stretched and slanted round a centre. */
function shape(label: number, [centerX, centerY]: Point, radius: number, random: Random): Point[][] {
  const stretch = Math.sqrt(numberIn(LOOKS.stretch, random));
  const slant = numberIn(LOOKS.slant, random);
  const [cos, sin] = anyDirection(random);
  return OUTLINES[label]!.lines.map((line) =>
    line.map(([x, y]): Point => {
      const u = x * stretch + slant * y;
      const v = y / stretch;
      return [centerX + radius * (cos * u - sin * v), centerY + radius * (sin * u + cos * v)];
    }),
  );
}

/** Small ones of a kind near one another. */
function crowd(label: number, width: number, height: number, random: Random): Stencil[] {
  const side = Math.min(width, height);
  const reach = side * numberIn([0.15, 0.25], random);
  const [x, y] = [numberIn([reach, width - reach], random), numberIn([reach, height - reach], random)];
  return Array.from({ length: integerIn(LOOKS.crowdMembers, random) }, () => {
    const center: Point = [x + reach * (2 * random() - 1), y + reach * (2 * random() - 1)];
    return stencil(shape(label, center, side * numberIn(LOOKS.crowdRadius, random), random));
  });
}

/** A long thin triangle or line, which is none of the shapes. */
function splinter(width: number, height: number, random: Random): Point[] {
  const [x, y] = [width * random(), height * random()];
  const [cos, sin] = anyDirection(random);
  const long = Math.min(width, height) * numberIn([0.1, 0.5], random);
  const half = numberIn([0.5, 2], random);
  const tip = half * random();
  return [
    [x - half * sin, y + half * cos],
    [x + half * sin, y - half * cos],
    [x + long * cos + tip * sin, y + long * sin - tip * cos],
    [x + long * cos - tip * sin, y + long * sin + tip * cos],
  ];
}

/** What is painted is noted, with all random numbers that it takes but the noise's, and done when the image is asked for. */
class Canvas {
  readonly #width: number;
  readonly #height: number;
  readonly #random: Random;
  readonly #strokes: ((values: Float32Array) => void)[] = [];

  constructor(width: number, height: number, random: Random) {
    this.#width = width;
    this.#height = height;
    this.#random = random;
  }

  paintGround(colours: readonly [Colour, Colour]): void {
    const pattern = anyPattern(Math.max(this.#width, this.#height), this.#random);
    this.#strokes.push((values) => {
      for (let y = 0; y < this.#height; y++) {
        for (let x = 0; x < this.#width; x++) this.#blend(values, x, y, colours, pattern(x, y), 1);
      }
    });
  }

  paint({ left, top, side, coverage }: Stencil, colours: readonly [Colour, Colour]): void {
    const pattern = anyPattern(side, this.#random);
    this.#strokes.push((values) => {
      for (let y = Math.max(0, -top); y < Math.min(side, this.#height - top); y++) {
        for (let x = Math.max(0, -left); x < Math.min(side, this.#width - left); x++) {
          const cover = Math.min(1, coverage[y * side + x]!);
          if (cover > 0) this.#blend(values, left + x, top + y, colours, pattern(x, y), cover);
        }
      }
    });
  }

  /** Between the two colours by `place`, and that over what is there by `share`. */
  #blend(
    values: Float32Array,
    x: number,
    y: number,
    [first, second]: readonly [Colour, Colour],
    place: number,
    share: number,
  ): void {
    const at = (y * this.#width + x) * 3;
    for (let channel = 0; channel < 3; channel++) {
      const before = values[at + channel]!;
      const colour = mix(first[channel]!, second[channel]!, place);
      values[at + channel] = before + (colour - before) * share;
    }
  }

  /** Noise, and bytes. */
  develop(): Uint8Array {
    const random = this.#random;
    const values = new Float32Array(this.#width * this.#height * 3);
    for (const stroke of this.#strokes) stroke(values);
    const noise = numberIn(LOOKS.noise, random);
    const bytes = new Uint8Array(values.length);
    // `Uint8Array.from` makes a list first, and takes ten times as long.
    for (let i = 0; i < bytes.length; i++) {
      bytes[i] = clamp(Math.round(values[i]! + noise * (2 * random() - 1)), 0, 255);
    }
    return bytes;
  }
}
