/** Numbered scenes: `scenes`, drawn from a seed, annotated as COCO's are. */
import type { Image as Pixels } from "../../../../images/image.js";
import { DataError } from "../../../../data-error.js";
import type { AnnotatedImage, Category, GroundTruth } from "../../../objects.js";
import { OUTLINES } from "../outlines.js";
import { drawScene, SCENE_SIZE, type Scene, type SceneSize } from "./draw.js";

/** Which of all scenes. */
export interface SceneNumber extends Required<SceneSize> {
  readonly seed: number;
  readonly number: number;
}

/** Which images are drawn, and how large. */
export interface ScenesOptions extends SceneSize {
  /** Another seed gives other images. Default 1. */
  readonly seed?: number;
  /** Where the images are numbered from, so that parts of one seed have none in common. Default 0. */
  readonly first?: number;
  /** Objects have the masks of their visible pixels. Default false. */
  readonly masks?: boolean;
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
 * @throws {DataError} where the number, the seed or the size can't be
 */
export function* drawScenes(count: number, options: ScenesOptions = {}): Generator<DrawnImage> {
  const { seed = 1, first = 0, masks = false, width, height } = { ...SCENE_SIZE, ...options };
  const within = (name: string, value: number, low: number, high: number) => {
    if (Number.isInteger(value) && value >= low && value <= high) return;
    throw new DataError(`scenes: ${name} must be a whole number from ${low} to ${high}, not ${value}`);
  };
  within("the number of images", count, 1, MAX_IMAGES);
  within("the seed", seed, 0, Number.MAX_SAFE_INTEGER);
  within("the first image", first, 0, Number.MAX_SAFE_INTEGER - MAX_IMAGES);
  within("the width", width, MIN_SIDE, MAX_SIDE);
  within("the height", height, MIN_SIDE, MAX_SIDE);

  let nextObject = 1;
  for (let index = 0; index < count; index++) {
    const scene = drawNumbered({ seed, number: first + index, width, height });
    const id = index + 1;
    const own = masks ? scene.masks() : [];
    yield {
      image: { id, file: `${String(id).padStart(6, "0")}.png`, width, height },
      get pixels() {
        return scene.image;
      },
      objects: scene.objects.map(({ label, ...object }, at): GroundTruth => ({
        id: nextObject++,
        image: id,
        category: SCENE_CATEGORIES[label]!.id,
        ...object,
        ...(masks && { mask: own[at]! }),
        isDifficult: false,
      })),
    };
  }
}

/** One scene: whichever others are drawn, it is the same. */
export function drawNumbered({ seed, number, ...size }: SceneNumber): Scene {
  return drawScene(`scenes ${seed} ${number}`, size);
}
