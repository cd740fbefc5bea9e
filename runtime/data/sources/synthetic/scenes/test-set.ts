/** Scenes to judge a detector by. */
import type { Image as Pixels } from "../../../../images/image.js";
import type { MadeImage } from "../../../../images/source.js";
import type { DetectionData, GroundTruth, AnnotatedImage } from "../../../../detection/records.js";
import { drawScenes, SCENE_CATEGORIES, type ScenesOptions } from "./index.js";

/** Where the images of a part are numbered from: parts of one seed have none in common. */
export const SCENES_FIRST = { train: 0, validation: 10_000_000, test: 20_000_000 } as const;

/** Pixels that are kept, in bytes; more images are drawn a second time. */
const KEPT = 256 * 1024 * 1024;

/**
 * @param count images
 * @param kept bytes of pixels that may be kept
 * @returns what is in them, and the images by id
 * @throws {DetectionError} where the number, the seed or the size can't be
 */
export function scenesTestSet(
  count: number,
  options: Omit<ScenesOptions, "first"> = {},
  kept = KEPT,
): { readonly data: DetectionData; readonly images: ReadonlyMap<number, MadeImage> } {
  const first = SCENES_FIRST.test;
  const described: AnnotatedImage[] = [];
  const objects: GroundTruth[] = [];
  const images = new Map<number, MadeImage>();
  let bytes = 0;
  for (const { image, pixels, objects: own } of drawScenes(count, { ...options, first })) {
    const { id, file: name } = image;
    bytes += pixels.data.length;
    images.set(id, { name, pixels: bytes <= kept ? keep(pixels) : drawAgain({ ...options, first: first + id - 1 }) });
    described.push(image);
    objects.push(...own);
  }
  return { data: { images: described, categories: SCENE_CATEGORIES, objects, warnings: [] }, images };
}

// Functions of their own: made in one scope, both would hold on to the pixels.
function keep(pixels: Pixels): () => Pixels {
  return () => pixels;
}

function drawAgain(options: ScenesOptions): () => Pixels {
  return () => [...drawScenes(1, options)][0]!.pixels;
}
