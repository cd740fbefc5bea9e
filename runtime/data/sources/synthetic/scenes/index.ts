/** The detection data that need no download: `scenes`, drawn from a seed, annotated as COCO's are. */
import path from "node:path";
import { OUTLINES } from "../outlines.js";
import { makeFolder, writeWhole } from "../../../../files.js";
import type { Image as Pixels } from "../../../../images/image.js";
import {
  DetectionError,
  type Category,
  type DetectionData,
  type GroundTruth,
  type AnnotatedImage,
} from "../../../../detection/records.js";
import { writeCocoAnnotations } from "../../../../detection/write.js";
import { drawScene, type SceneSize } from "./draw.js";

/** Which images are drawn, and how large. */
export interface ScenesOptions extends SceneSize {
  /** Another seed gives other images. Default 1. */
  readonly seed?: number;
  /** Where the images are numbered from, so that parts of one seed have none in common. Default 0. */
  readonly first?: number;
}

/** The ten shapes as categories; ids begin at 1. */
export const SCENE_CATEGORIES: readonly Category[] = OUTLINES.map(({ name }, label) => ({ id: label + 1, name }));

const MAX_IMAGES = 1_000_000;
const MIN_SIDE = 32;
const MAX_SIDE = 4096;

/** A drawn image, and the objects in it. */
export interface DrawnImage {
  readonly image: AnnotatedImage;
  readonly pixels: Pixels;
  readonly objects: readonly GroundTruth[];
}

/**
 * Draws images one after the other; each is the same whichever others are drawn.
 *
 * @throws {DetectionError} where the number, the seed or the size can't be
 */
export function* drawScenes(count: number, options: ScenesOptions = {}): Generator<DrawnImage> {
  const { seed = 1, first = 0, width = 320, height = 240 } = options;
  const within = (name: string, value: number, low: number, high: number) => {
    if (Number.isInteger(value) && value >= low && value <= high) return;
    throw new DetectionError(`scenes: ${name} must be a whole number from ${low} to ${high}, not ${value}`);
  };
  within("the number of images", count, 1, MAX_IMAGES);
  within("the seed", seed, 0, Number.MAX_SAFE_INTEGER);
  within("the first image", first, 0, Number.MAX_SAFE_INTEGER - MAX_IMAGES);
  within("the width", width, MIN_SIDE, MAX_SIDE);
  within("the height", height, MIN_SIDE, MAX_SIDE);

  let nextObject = 1;
  for (let index = 0; index < count; index++) {
    const { image: pixels, objects } = drawScene(`scenes ${seed} ${first + index}`, { width, height });
    const id = index + 1;
    yield {
      image: { id, file: `${String(id).padStart(6, "0")}.png`, width, height },
      pixels,
      objects: objects.map(({ label, ...object }): GroundTruth => ({
        id: nextObject++,
        image: id,
        category: SCENE_CATEGORIES[label]!.id,
        ...object,
        isDifficult: false,
      })),
    };
  }
}

/**
 * Writes `images/000001.png` and so on, and `instances.json` when all are there. JPEG is smaller and loses a little;
 * the pixels of PNG are the same on every machine.
 *
 * @throws {DetectionError}
 * @throws {FileError}
 */
export async function writeScenes(
  folder: string,
  count: number,
  { format = "png", ...options }: ScenesOptions & { readonly format?: "png" | "jpeg" } = {},
): Promise<DetectionData> {
  const { default: sharp } = await import("sharp");
  const scenes = drawScenes(count, options);
  const images: AnnotatedImage[] = [];
  const objects: GroundTruth[] = [];
  const imageFolder = path.join(folder, "images");
  let madeFolder = false;
  for (const { image, pixels, objects: own } of scenes) {
    if (!madeFolder) await makeFolder(imageFolder);
    madeFolder = true;
    const file = format === "png" ? image.file : image.file.replace(/png$/, "jpg");
    const raw = sharp(pixels.data, { raw: { width: pixels.width, height: pixels.height, channels: 3 } });
    const bytes = await (format === "png" ? raw.png() : raw.jpeg({ quality: 92 })).toBuffer();
    await writeWhole(path.join(imageFolder, file), [bytes]);
    images.push({ ...image, file });
    objects.push(...own);
  }
  const data: DetectionData = { images, categories: SCENE_CATEGORIES, objects, warnings: [] };
  await writeCocoAnnotations(path.join(folder, "instances.json"), data);
  return data;
}
