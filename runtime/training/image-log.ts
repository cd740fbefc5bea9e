/** Images in TensorBoard: a few as they are trained on, and as they are validated, with what they are taken for. */
import type { Preprocess } from "../../compiler/model.js";
import type { Recipe } from "../../compiler/recipe.js";
import type { TransformSettings } from "../data/index.js";
import { letter, shorten } from "../detection/overlay/lettering.js";
import type { EventFile } from "./event-file.js";
import type { Feed } from "./feed.js";
import type { TargetBatch } from "./targets.js";
import { normalizationOf } from "../../compiler/preprocess.js";
import { preprocessOf } from "./preprocess-of.js";

/** Longest side of an image in it, in pixels; smaller ones are shown no smaller than this where whole multiples fit. */
const SIDE = 128;
const [MARGIN, LINE, FONT] = [6, 15, 11];
const COLUMNS = 4;
const [RIGHT, WRONG, PLAIN] = ["#1a7f37", "#b42318", "#222222"];

/** Pixels of red, green and blue, one after the other, row by row. */
interface Image {
  readonly height: number;
  readonly width: number;
  readonly data: Uint8Array;
}

type Shown = Pick<TargetBatch, "images" | "shape" | "targets" | "views">;

interface Line {
  readonly text: string;
  readonly colour: string;
}

export class ImageLog {
  readonly #events: EventFile;
  readonly #count: number;
  readonly #classes: readonly string[];
  readonly #training: Restore;
  readonly #evaluation: Restore;

  /** @param count images that are shown, at most */
  constructor(events: EventFile, count: number, { recipe }: { readonly recipe: Recipe }, feed: Feed) {
    this.#events = events;
    this.#count = count;
    this.#classes = feed.data.classes;
    this.#training = restorer(channelMeans(recipe.train, feed));
    this.#evaluation = restorer(channelMeans(feed.evaluation, feed));
  }

  /** Images of a batch as they were augmented, with their classes: `train/images`. */
  async trained(step: number, batch: Shown): Promise<void> {
    const labels = batch.targets["labels"]!;
    const images = this.#images(batch, this.#training);
    await this.#show(step, "train/images", images, (index) => {
      const names = labels instanceof Float32Array ? this.#parts(labels, index) : [this.#name(labels[index]!)];
      return names.map((text) => ({ text, colour: PLAIN }));
    });
  }

  /** The classes that an image is mixed of, the larger share first: `70 % cat`. */
  #parts(shares: Float32Array, image: number): readonly string[] {
    const count = this.#classes.length;
    const each = [...shares.subarray(image * count, (image + 1) * count).entries()];
    const largest = each.filter(([, share]) => share > 0).sort(([, a], [, b]) => b - a);
    const names = largest.map(([index, share]) =>
      share === 1 ? this.#name(index) : `${(100 * share).toFixed(0)} % ${this.#name(index)}`,
    );
    return names.length <= 2 ? names : [names.join(", ")];
  }

  /** Images of a validation, what they are and what they are taken for: `validation/images`. */
  async evaluated(step: number, batch: Shown, scores: Float32Array): Promise<void> {
    const { targets, views } = batch;
    const labels = targets["labels"]!;
    const images = this.#images(batch, this.#evaluation);
    const classes = this.#classes.length;
    await this.#show(step, "validation/images", images, (index) => {
      const first = index * views * classes;
      if (labels instanceof Float32Array) {
        return this.#answers(labels.subarray(first, first + classes), scores.subarray(first, first + classes));
      }
      const found = topClass(scores.subarray(first, first + classes));
      const label = labels[index * views]!;
      const share = `${(100 * found.probability).toFixed(0)} %`;
      const answer = `${share} ${this.#name(found.index)}`;
      if (found.index === label) return [{ text: answer, colour: RIGHT }];
      return [
        { text: this.#name(label), colour: PLAIN },
        { text: answer, colour: WRONG },
      ];
    });
  }

  /** The labels that an image has, and those that are likelier than not, where they are others. */
  #answers(has: Float32Array, scores: Float32Array): readonly Line[] {
    const [right, said] = [(label: number) => has[label] === 1, (label: number) => scores[label]! > 0];
    const named = (which: (label: number) => boolean): string => {
      const names = this.#classes.filter((_, label) => which(label));
      return names.length === 0 ? "none" : names.join(", ");
    };
    if (named(right) === named(said)) return [{ text: named(said), colour: RIGHT }];
    return [
      { text: named(right), colour: PLAIN },
      { text: named(said), colour: WRONG },
    ];
  }

  #name(index: number): string {
    return this.#classes[index] ?? String(index);
  }

  /** The first view of the first images. */
  #images({ images, shape, views }: Shown, restore: Restore): readonly Image[] {
    const [count, channels, height, width] = shape;
    const each = channels * height * width;
    return Array.from({ length: Math.min(this.#count, count / views) }, (_, index) =>
      restore(images.subarray(index * views * each, (index * views + 1) * each), [height, width]),
    );
  }

  async #show(
    step: number,
    tag: string,
    images: readonly Image[],
    lines: (index: number) => readonly Line[],
  ): Promise<void> {
    if (images.length === 0) return;
    this.#events.image(step, tag, await sheet(images.map((image, index) => ({ image, lines: lines(index) }))));
  }
}

/** Planes as a network is given them, [channels, height, width], as pixels. */
type Restore = (planes: Float32Array, size: readonly [height: number, width: number]) => Image;

/** Of a mean image its channels' means. */
function channelMeans(
  transforms: readonly TransformSettings[],
  { statistics, channels }: Pick<Feed, "statistics" | "channels">,
): Preprocess {
  const perChannel = transforms.map((each) => (each.kind === "subtract_mean" ? { ...each, per: "channel" } : each));
  return preprocessOf(perChannel, statistics, channels).preprocess;
}

/** Undoes what normalised an image. What changed its colours by chance stays. */
export function restorer(preprocess: Preprocess): Restore {
  const { range, mean, std, color } = normalizationOf(preprocess);
  return (planes, [height, width]) => {
    const area = height * width;
    const data = new Uint8Array(3 * area);
    for (let channel = 0; channel < 3; channel++) {
      const from = color === "grey" ? 0 : color === "bgr" ? 2 - channel : channel;
      for (let at = 0; at < area; at++) {
        const value = planes[from * area + at]! * std[from]! + mean[from]!;
        data[3 * at + channel] = Math.max(0, Math.min(255, Math.round((value * 255) / range)));
      }
    }
    return { height, width, data };
  };
}

function topClass(scores: Float32Array): { readonly index: number; readonly probability: number } {
  const index = scores.reduce((best, score, at) => (score > scores[best]! ? at : best), 0);
  const sum = scores.reduce((total, score) => total + Math.exp(score - scores[index]!), 0);
  return { index, probability: 1 / sum };
}

/** Images in rows, each with its lines below it, as one PNG. */
async function sheet(tiles: readonly { readonly image: Image; readonly lines: readonly Line[] }[]) {
  const { default: sharp } = await import("sharp");
  const columns = Math.min(COLUMNS, tiles.length);
  const rows = Math.ceil(tiles.length / columns);
  const cell = { width: SIDE + MARGIN, height: SIDE + 2 * LINE + MARGIN };
  const [width, height] = [columns * cell.width + MARGIN, rows * cell.height + MARGIN];
  const layers = await Promise.all(
    tiles.map(async ({ image, lines }, index) => {
      const [left, top] = [MARGIN + (index % columns) * cell.width, MARGIN + Math.floor(index / columns) * cell.height];
      const longest = Math.max(image.height, image.width);
      const scale = longest > SIDE ? SIDE / longest : Math.max(1, Math.floor(SIDE / longest));
      const size = (side: number): number => Math.max(1, Math.round(side * scale));
      const raw = { width: image.width, height: image.height, channels: 3 as const };
      const input = await sharp(image.data, { raw })
        .resize(size(image.width), size(image.height), { kernel: scale > 1 ? "nearest" : "lanczos3", fit: "fill" })
        .png()
        .toBuffer();
      const texts = lines.map(({ text, colour }, line) => {
        return letter(shorten(text, SIDE / FONT), left, top + SIDE + (line + 1) * LINE - 3, FONT, colour);
      });
      return { input, left, top, texts };
    }),
  );
  const text = layers.flatMap(({ texts }) => texts).join("");
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${text}</svg>`;
  const png = await sharp({ create: { width, height, channels: 3, background: "#ffffff" } })
    .composite([
      ...layers.map(({ input, left, top }) => ({ input, left, top })),
      { input: Buffer.from(svg), left: 0, top: 0 },
    ])
    .removeAlpha()
    .png()
    .toBuffer();
  return { png, height, width };
}
