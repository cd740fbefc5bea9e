/** Images of a detector in TensorBoard: a few as they are trained on, and as they are validated, with boxes. */
import type { Preprocess } from "../../../compiler/model.js";
import type { Box, Detection } from "../../data/objects.js";
import type { AnnotatedSplit } from "../../data/index.js";
import { drawDetections, type Mark } from "../../detection/overlay/index.js";
import type { Image } from "../../images/image.js";
import type { EngineBatch } from "../engine.js";
import type { EventFile } from "../event-file.js";
import { restorer } from "../image-log.js";

/** Longest side of an image in it, in pixels. */
const SIDE = 320;
const MARGIN = 6;
const COLUMNS = 4;
/** What is less sure is not drawn, nor more than so many of an image. */
const [LEAST_SCORE, MOST_BOXES] = [0.3, 20];

/** Takes images of a validation as they are judged. */
export interface ValidationImages {
  /** @param index of the image in its split */
  add(index: number, pixels: Image, found: readonly Detection[]): Promise<void>;
  /** Shows those that came. */
  end(step: number): Promise<void>;
}

interface Given {
  /** Names of the classes, in their order. */
  readonly labels: readonly string[];
  readonly preprocess: Preprocess;
  readonly canvases: readonly (readonly [height: number, width: number])[];
}

/** What is known is dashed; what was found is drawn through, with its score. */
export class DetectionImageLog {
  readonly #events: EventFile;
  readonly #count: number;
  readonly #given: Given;

  /** @param count images that are shown, at most */
  constructor(events: EventFile, count: number, given: Given) {
    this.#events = events;
    this.#count = count;
    this.#given = given;
  }

  /** Images of a batch as they were augmented, without what fills their canvas, and their objects: `train/images`. */
  async trained(step: number, batch: EngineBatch): Promise<void> {
    const { images, targets, canvas = 0, sizes } = batch;
    const [height, width] = this.#given.canvases[canvas]!;
    const info = targets["image_info"]!;
    const total = info.length / 6;
    const each = images.length / total;
    const restore = restorer(this.#given.preprocess);
    const shown = Array.from({ length: Math.min(this.#count, total) }, (_, index) => {
      const whole = restore(images.subarray(index * each, (index + 1) * each), [height, width]);
      const image = cut(whole, Math.round(info[6 * index]!), Math.round(info[6 * index + 1]!));
      return { image, marks: this.#known(targets, index, sizes?.["objects"] ?? 0) };
    });
    await this.#show(step, "train/images", await Promise.all(shown.map(({ image, marks }) => drawn(image, marks))));
  }

  #known(targets: EngineBatch["targets"], image: number, rows: number): readonly Mark[] {
    const [boxes, labels, present] = ["boxes", "labels", "present"].map((name) => targets[`objects.${name}`]!);
    return Array.from({ length: rows }, (_, row) => image * rows + row).flatMap((at) => {
      if (present![at] !== 1) return [];
      const [x1, y1, x2, y2] = boxes!.subarray(4 * at, 4 * at + 4) as unknown as [number, number, number, number];
      return [this.#mark([x1, y1, x2 - x1, y2 - y1], labels![at]!, { isDashed: true })];
    });
  }

  #mark(box: Box, index: number, more: Partial<Mark>): Mark {
    return { box, class: index, label: this.#given.labels[index] ?? String(index), ...more };
  }

  /** Of the first images of a split: `validation/images`. */
  validation(split: AnnotatedSplit): ValidationImages {
    const { images, objects, categories } = split.annotations();
    const names = new Map(categories.map(({ id, name }) => [id, name]));
    const indexOf = (category: number): number => Math.max(0, this.#given.labels.indexOf(names.get(category) ?? ""));
    const tiles: Tile[] = [];
    return {
      add: async (index, pixels, found) => {
        if (tiles.length >= this.#count) return;
        const known = objects.filter(({ image }) => image === images[index]!.id);
        const surest = found.filter(({ score }) => score >= LEAST_SCORE).sort((a, b) => b.score - a.score);
        tiles.push(
          await drawn(pixels, [
            ...known.map(({ box, category }) => this.#mark(box, indexOf(category), { isDashed: true })),
            ...surest
              .slice(0, MOST_BOXES)
              .map(({ box, category, score }) => this.#mark(box, indexOf(category), { score })),
          ]),
        );
      },
      end: (step) => this.#show(step, "validation/images", tiles),
    };
  }

  async #show(step: number, tag: string, tiles: readonly Tile[]): Promise<void> {
    if (tiles.length > 0) this.#events.image(step, tag, await sheet(tiles));
  }
}

interface Tile {
  readonly png: Buffer;
  readonly height: number;
  readonly width: number;
}

/** The upper left corner of an image. */
function cut({ data, width }: Pick<Image, "data" | "width">, height: number, to: number): Image {
  const rows = Array.from({ length: height }, (_, y) => data.subarray(3 * y * width, 3 * (y * width + to)));
  return { data: new Uint8Array(Buffer.concat(rows)), height, width: to };
}

async function drawn(image: Image, marks: readonly Mark[]): Promise<Tile> {
  const { default: sharp } = await import("sharp");
  const { data, info } = await sharp(await drawDetections(image, marks))
    .resize(SIDE, SIDE, { fit: "inside", withoutEnlargement: true })
    .png()
    .toBuffer({ resolveWithObject: true });
  return { png: data, height: info.height, width: info.width };
}

/** Images in rows, as one PNG. */
async function sheet(tiles: readonly Tile[]): Promise<Tile> {
  const { default: sharp } = await import("sharp");
  const columns = Math.min(COLUMNS, tiles.length);
  const [cellWidth, cellHeight] = (["width", "height"] as const).map(
    (side) => Math.max(...tiles.map((tile) => tile[side])) + MARGIN,
  ) as [number, number];
  const width = columns * cellWidth + MARGIN;
  const height = Math.ceil(tiles.length / columns) * cellHeight + MARGIN;
  const png = await sharp({ create: { width, height, channels: 3, background: "#ffffff" } })
    .composite(
      tiles.map(({ png: input }, index) => ({
        input,
        left: MARGIN + (index % columns) * cellWidth,
        top: MARGIN + Math.floor(index / columns) * cellHeight,
      })),
    )
    .png()
    .toBuffer();
  return { png, height, width };
}
