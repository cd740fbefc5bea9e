/** Scenes to judge a detector by, drawn when they are looked at. */
import type { MadeImage } from "../../images/source.js";
import type { DetectionData } from "../records.js";
import { drawScenes, SCENE_CATEGORIES, type ScenesOptions } from "./index.js";

/** Where the pictures of a part are numbered from: parts of one seed have none in common. */
export const SCENES_FIRST = { train: 0, validation: 10_000_000, test: 20_000_000 } as const;

/**
 * @param count pictures
 * @returns what is in them, and the pictures by id, whose pixels are drawn again when they are asked for
 * @throws {DetectionError} where the number, the seed or the size can't be
 */
export function scenesTestSet(
  count: number,
  options: Omit<ScenesOptions, "first"> = {},
): { readonly data: DetectionData; readonly images: ReadonlyMap<number, MadeImage> } {
  const first = SCENES_FIRST.test;
  const drawn = Array.from(drawScenes(count, { ...options, first }), ({ picture, objects }) => ({ picture, objects }));
  const images = drawn.map(({ picture }, index): [number, MadeImage] => {
    const pixels = () => [...drawScenes(1, { ...options, first: first + index })][0]!.image;
    return [picture.id, { name: picture.file, pixels }];
  });
  return {
    data: {
      pictures: drawn.map(({ picture }) => picture),
      categories: SCENE_CATEGORIES,
      objects: drawn.flatMap(({ objects }) => objects),
      warnings: [],
    },
    images: new Map(images),
  };
}
