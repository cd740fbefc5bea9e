/** The annotated data set that needs no download: several shapes in an image, drawn from a seed. */
import type { AnnotatedSplit, DataSet } from "../../../data-set.js";
import { DataError } from "../../../../data-error.js";
import type { AnnotatedImage, Annotations, GroundTruth } from "../../../objects.js";
import { SCENE_SIZE, type SceneSize } from "./draw.js";
import { drawScenes, SCENE_CATEGORIES, type ScenesOptions } from "./scenes.js";

/** Which scenes are drawn, and how many. */
export interface ScenesDataOptions extends SceneSize {
  /** Another seed gives other images. Default 1. */
  readonly seed?: number;
  /** Images of each part. Default 1000, 200, 200. */
  readonly train?: number;
  readonly validation?: number;
  readonly test?: number;
  /** Objects have the masks of their visible pixels. Default false. */
  readonly masks?: boolean;
}

/** Where the images of a part are numbered from: parts of one seed have none in common. */
export const SCENES_FIRST = { train: 0, validation: 10_000_000, test: 20_000_000 } as const;

const MAX_IMAGES = SCENES_FIRST.validation;

/** @throws {DataError} where the number, the seed or the size can't be */
export function openScenes(options: ScenesDataOptions = {}): DataSet<AnnotatedSplit> {
  const { seed = 1, train = 1000, validation = 200, test = 200, masks = false, ...asked } = options;
  const size = { ...SCENE_SIZE, ...asked };
  const split = (name: keyof typeof SCENES_FIRST, count: number): AnnotatedSplit => {
    if (!Number.isInteger(count) || count < 1 || count > MAX_IMAGES) {
      throw new DataError(`scenes: ${name} must have from 1 to ${MAX_IMAGES} images, not ${count}`);
    }
    const first = SCENES_FIRST[name];
    let known: Annotations | undefined;
    return {
      name,
      size: count,
      // Where an object can be seen is known once the image is drawn: when it is asked for.
      annotations: () => (known ??= annotationsOf(count, { ...size, seed, first, masks })),
      reference: (index) => ({ kind: "scenes", split: name, index, seed, number: first + index, ...size }),
      imageSize: [size.height, size.width],
      isLight: false,
    };
  };
  return {
    name: "scenes",
    classes: SCENE_CATEGORIES.map(({ name }) => name),
    inputShape: [3, size.height, size.width],
    train: split("train", train),
    validation: split("validation", validation),
    test: split("test", test),
    warnings: [],
  };
}

function annotationsOf(count: number, options: ScenesOptions): Annotations {
  const images: AnnotatedImage[] = [];
  const objects: GroundTruth[] = [];
  for (const scene of drawScenes(count, options)) {
    images.push(scene.image);
    objects.push(...scene.objects);
  }
  return { images, categories: SCENE_CATEGORIES, objects, warnings: [] };
}
