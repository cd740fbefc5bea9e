/** Scenes to judge a detector by. */
import type { Image } from "../../images/image.js";
import type { MadeImage } from "../../images/source.js";
import type { DetectionData, GroundTruth, Picture } from "../records.js";
import { drawScenes, SCENE_CATEGORIES, type ScenesOptions } from "./index.js";

/** Where the pictures of a part are numbered from: parts of one seed have none in common. */
export const SCENES_FIRST = { train: 0, validation: 10_000_000, test: 20_000_000 } as const;

/** Pixels that are kept, in bytes; more pictures are drawn a second time. */
const KEPT = 256 * 1024 * 1024;

/**
 * @param count pictures
 * @param kept bytes of pixels that may be kept
 * @returns what is in them, and the pictures by id
 * @throws {DetectionError} where the number, the seed or the size can't be
 */
export function scenesTestSet(
  count: number,
  options: Omit<ScenesOptions, "first"> = {},
  kept = KEPT,
): { readonly data: DetectionData; readonly images: ReadonlyMap<number, MadeImage> } {
  const first = SCENES_FIRST.test;
  const pictures: Picture[] = [];
  const objects: GroundTruth[] = [];
  const images = new Map<number, MadeImage>();
  let bytes = 0;
  for (const { picture, image, objects: own } of drawScenes(count, { ...options, first })) {
    const { id, file: name } = picture;
    bytes += image.data.length;
    images.set(id, { name, pixels: bytes <= kept ? keep(image) : drawAgain({ ...options, first: first + id - 1 }) });
    pictures.push(picture);
    objects.push(...own);
  }
  return { data: { pictures, categories: SCENE_CATEGORIES, objects, warnings: [] }, images };
}

// Functions of their own: made in one scope, both would hold on to the pixels.
function keep(image: Image): () => Image {
  return () => image;
}

function drawAgain(options: ScenesOptions): () => Image {
  return () => [...drawScenes(1, options)][0]!.image;
}
