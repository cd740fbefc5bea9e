/** From a list of images with their objects to the tensors of a detector's training: what a thread does for one batch. */
import { ImageError, type Size } from "../../images/image.js";
import type { Box } from "../../images/box.js";
import type { ImageInfo, PlacedBox } from "../../images/transforms/boxes.js";
import type { Frame } from "../../images/transforms/frame.js";
import type { LazyImage, Pipeline, SampleKey } from "../../images/transforms/pipeline.js";
import { writePlanes } from "../../images/transforms/raster.js";
import { DataError } from "../../data-error.js";
import type { BatchOrder, Failure, Pause } from "../batch.js";
import type { SampleReference, Samples } from "../samples.js";
import { maskOf, type ObjectMask } from "../masks/outline.js";
import { canvasFor, hullOf } from "./canvases.js";
import { cellsFor, cellsOf, placesIn, seenMask, type SeenMask } from "./mask-cells.js";

/** What an image shows, as a detector learns it. */
export interface KnownObjects {
  /** In pixels of the image, and inside of it. */
  readonly boxes: readonly Box[];
  /** Class of each, from 0. */
  readonly labels: readonly number[];
  /** The pixels of each, where a detector learns masks. */
  readonly masks?: readonly ObjectMask[];
  /** Where a detector learns from kept proposals: those of the image, as the boxes are. */
  readonly proposals?: readonly Box[];
}

/** Images with objects in them, and the sizes of tensors that they may be put in. */
export interface DetectionOrder extends BatchOrder {
  readonly objects: readonly KnownObjects[];
  readonly canvases: readonly Size[];
  /** Where these are only some of the images of a batch: what the tensors have to hold all the same. */
  readonly least?: LeastSizes;
}

export interface LeastSizes {
  readonly size: Size;
  /** Rows of an image. */
  readonly objects: number;
  readonly proposals: number;
}

/** The objects of a batch: `count` rows an image, the most that one of them has and at least 1. */
export interface BatchObjects {
  /** float32 [N, count, 4]: x1, y1, x2, y2 in pixels of the tensor; x2 - x1 is the width. */
  readonly boxes: Float32Array<ArrayBuffer>;
  /** float32 [N, count]: class numbers. */
  readonly labels: Float32Array<ArrayBuffer>;
  /** float32 [N, count]: 1 where there is an object, 0 where the row fills up. */
  readonly present: Float32Array<ArrayBuffer>;
  readonly count: number;
  /** Where masks are known. */
  readonly masks?: BatchMasks;
}

/** Boxes of whatever kind, in as many rows. */
export type BatchBoxes = Pick<BatchObjects, "boxes" | "present" | "count">;

/** The masks of a batch: each on `cells` x `cells` cells, which are pixels of the tensor or larger. */
export interface BatchMasks {
  readonly cells: number;
  /** float32 [N, count, cells, cells]: how much of each cell is of the object, 0 to 1. */
  readonly values: Float32Array<ArrayBuffer>;
  /** float32 [N, count, 4]: corners of those cells, x1, y1, x2, y2 in pixels of the tensor. */
  readonly frames: Float32Array<ArrayBuffer>;
}

/** Tensors; empty ones where an image could not be read. */
export interface MadeDetectionBatch {
  /** float32 [N, channels, height, width], each image in the upper left corner, zeros elsewhere. */
  readonly images: Float32Array<ArrayBuffer>;
  /** Height and width of the tensor. */
  readonly canvas: Size;
  /** float32 [N, 6]: `image_info`. */
  readonly info: Float32Array<ArrayBuffer>;
  readonly objects: BatchObjects;
  /** Where proposals were given: those of the images, as the transforms moved them. */
  readonly proposals?: BatchBoxes;
  readonly failures: readonly Failure[];
}

/** What is seen of an image. */
interface Seen {
  readonly boxes: readonly PlacedBox[];
  readonly frame: Frame;
}

interface Opened {
  readonly reference: SampleReference;
  readonly source: LazyImage;
  readonly key: SampleKey;
  readonly info: ImageInfo;
}

const NOTHING: MadeDetectionBatch = {
  images: new Float32Array(),
  canvas: [0, 0],
  info: new Float32Array(),
  objects: { boxes: new Float32Array(), labels: new Float32Array(), present: new Float32Array(), count: 0 },
  failures: [],
};

/**
 * Reads, augments and puts into one tensor, as small as they all go into.
 *
 * @throws {DataError} where an image goes into none of the canvases
 */
export async function makeDetectionBatch(
  order: DetectionOrder,
  pipeline: Pipeline,
  samples: Samples,
  pause: Pause,
): Promise<MadeDetectionBatch> {
  const failures: Failure[] = [];
  const attempt = async <T>(place: number, make: () => Promise<T>): Promise<T | undefined> => {
    await pause();
    try {
      return await make();
    } catch (error) {
      if (!(error instanceof ImageError)) throw error;
      const name = samples.describe(order.references[place]!);
      failures.push({ place, message: error.message.startsWith(name) ? error.message : `${name}: ${error.message}` });
      return undefined;
    }
  };
  const opened: Opened[] = [];
  for (const place of order.references.keys()) {
    const one = await attempt(place, () => open(order, place, pipeline, samples));
    if (one) opened.push(one);
  }
  // Whoever asked will ask again with other images in their place.
  if (failures.length > 0) return { ...NOTHING, failures };
  const canvas = canvasOf(opened, order, samples);
  const each = pipeline.channels * canvas[0] * canvas[1];
  const images = new Float32Array(opened.length * each);
  const seen: Seen[] = [];
  for (const [place, { source, key }] of opened.entries()) {
    const raster = await attempt(place, async () => {
      const { boxes, proposals = [] } = order.objects[place]!;
      return (await pipeline.run({ ...source, boxes: [...boxes, ...proposals] }, key))[0]!;
    });
    if (!raster) continue;
    writePlanes(raster, images.subarray(place * each, (place + 1) * each), pipeline.channels, canvas);
    seen.push({ boxes: raster.boxes!, frame: raster.frame! });
  }
  if (failures.length > 0) return { ...NOTHING, failures };
  const info = Float32Array.from(opened.flatMap((image) => image.info));
  // Behind the objects of an image come its proposals.
  const part = (isObject: boolean): Seen[] =>
    seen.map(({ boxes, frame }, image) => {
      const count = order.objects[image]!.boxes.length;
      return { frame, boxes: boxes.filter(({ index }) => index < count === isObject) };
    });
  const isGiven = order.objects.some(({ proposals }) => proposals);
  return {
    ...{ images, canvas, info, failures },
    objects: stacked(part(true), order.least?.objects, order.objects),
    ...(isGiven && { proposals: stacked(part(false), order.least?.proposals) }),
  };
}

async function open(order: DetectionOrder, place: number, { info }: Pipeline, samples: Samples): Promise<Opened> {
  const { references, indices, seed, epoch, passes } = order;
  const reference = references[place]!;
  const source = await samples.open(reference);
  const key = { seed, epoch: passes?.[place] ?? epoch, index: indices[place]! };
  return { reference, source, key, info: info(source.size, key) };
}

function canvasOf(
  opened: readonly Opened[],
  { canvases, least }: Pick<DetectionOrder, "canvases" | "least">,
  samples: Samples,
): Size {
  const sizes = opened.map(({ info: [height, width] }): Size => [height, width]);
  const canvas = canvasFor(canvases, hullOf(least ? [...sizes, least.size] : sizes));
  if (canvas) return canvas;
  const odd = sizes.findIndex((size) => canvasFor(canvases, size) === undefined);
  const [height, width] = odd < 0 ? hullOf(sizes) : sizes[odd]!;
  const from = odd < 0 ? "" : ` (from ${opened[odd]!.source.size.toReversed().join("x")})`;
  throw new DataError(
    `${samples.describe(opened[Math.max(0, odd)]!.reference)}: is ${width}x${height} after the transforms${from}, and ` +
      "no canvas holds it: was the file changed since the training began?",
  );
}

/**
 * Corners in single precision, as the network sees them. A box that is none then is left out, as torchvision's and
 * Detectron2's loaders do: by x2 > x1 and y2 > y1.
 */
function stacked(seen: readonly Seen[], least = 1, known: readonly KnownObjects[] = []): BatchObjects {
  const kept = seen.map(({ boxes }) =>
    boxes
      .map(({ box: [x, y, width, height], index }) => ({
        index,
        corners: [x, y, x + width, y + height].map(Math.fround),
      }))
      .filter(({ corners: [x1, y1, x2, y2] }) => x2! > x1! && y2! > y1!),
  );
  const count = Math.max(1, least, ...kept.map((boxes) => boxes.length));
  const rows = kept.length * count;
  const objects = {
    boxes: new Float32Array(4 * rows),
    labels: new Float32Array(rows),
    present: new Float32Array(rows),
    count,
  };
  kept.forEach((boxes, image) => {
    boxes.forEach(({ index, corners }, at) => {
      const row = image * count + at;
      objects.boxes.set(corners, 4 * row);
      objects.labels[row] = known[image]?.labels[index] ?? 0;
      objects.present[row] = 1;
    });
  });
  if (known.length === 0 || !known.every(({ masks }) => masks)) return objects;
  const masks = kept.map((boxes, image) => {
    if (boxes.length === 0) return [];
    const places = placesIn(seen[image]!.frame);
    return boxes.map(({ index }) => seenMask(maskOf(known[image]!.masks![index]!), places));
  });
  return { ...objects, masks: stackedMasks(masks, count) };
}

function stackedMasks(masks: readonly (readonly SeenMask[])[], count: number): BatchMasks {
  const cells = cellsFor(masks.flat());
  const rows = masks.length * count;
  const [values, frames] = [new Float32Array(rows * cells * cells), new Float32Array(4 * rows)];
  masks.forEach((each, image) =>
    each.forEach((mask, at) => {
      const row = image * count + at;
      frames.set(cellsOf(mask, cells, values.subarray(row * cells * cells, (row + 1) * cells * cells)), 4 * row);
    }),
  );
  return { cells, values, frames };
}
