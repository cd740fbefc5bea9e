/** A detector, run over annotated images. */
import type { ClassesBy } from "../data/class-match.js";
import { matchCategories, toDetections } from "./categories.js";
import type { Detected, Detector } from "./detector.js";
import { Frames } from "./frames.js";
import { DataError } from "../data-error.js";
import type { AnnotatedSplit } from "../data/data-set.js";
import type { Annotations, Detection } from "../data/objects.js";
import { sampleSource } from "../data/sample.js";
import type { Image } from "../images/image.js";

/** How a detector is run over a data set. */
export interface DetectDataOptions {
  /** Images that go through the network at once. Default 1. */
  readonly batch?: number;
  /** How the detector's classes are found among the categories. Default by name. */
  readonly classesBy?: ClassesBy;
  /** An error instead of leaving out an image that can't be read. */
  readonly strict?: boolean;
  /** One line each: images that can't be read (the first few, then their number), sizes and frames that differ, classes. */
  readonly onWarning?: (message: string) => void;
  /** Called with each image that could be read, its place among the data, and what was found in it. */
  readonly onDetected?: (index: number, pixels: Image, found: readonly Detection[]) => void | Promise<void>;
  /** Called after each image. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** The images that could be read, and what was found in them. */
export interface DetectedData {
  /** Without the images that could not be read, and the objects in them. */
  readonly data: Annotations;
  /** All that the model gives, however unsure. */
  readonly detections: readonly Detection[];
}

/** Unreadable images that are named. */
const NAMED = 5;

/**
 * Finds objects in annotated images, whose categories are those of the detector's classes that have their names.
 *
 * @throws {DataError} where no class is a category, or no image can be read
 * @throws {SessionError}
 */
export async function detectData(
  detector: Detector,
  split: AnnotatedSplit,
  { batch, classesBy, strict = false, onWarning, onDetected, onProgress }: DetectDataOptions = {},
): Promise<DetectedData> {
  const { labels, session } = detector;
  const data = split.annotations();
  const sources = data.images.map((_, index) => sampleSource(split.reference(index)));
  const { ids, warnings } = matchCategories(labels, data.categories, session.name, "the annotations", classesBy);
  for (const warning of warnings) onWarning?.(warning);
  const detections: Detection[] = [];
  const unread = new Set<number>();
  const frames = new Frames(data);
  let next = 0;
  const take = async (detected: Detected, pixels: Image | undefined): Promise<void> => {
    const index = next++;
    const source = sources[index]!;
    const image = data.images[index]!;
    const { id } = image;
    if ("error" in detected) {
      if (strict) throw new DataError(detected.error);
      if (unread.add(id).size <= NAMED) onWarning?.(detected.error);
      return;
    }
    const found = toDetections(detected, id, (label) => ids[label]).map((each) => ({ ...each, image: id }));
    detections.push(...found);
    if (pixels) await onDetected?.(index, pixels, found);
    const { image: name, width, height } = detected;
    await frames.add(image, { name, width, height }, source);
  };
  await detector.detect(sources, {
    ...(batch !== undefined && { batch }),
    ...(onProgress && { onProgress }),
    onImage: take,
  });
  if (unread.size === data.images.length) throw new DataError("no image could be read");
  if (unread.size > 0) {
    const left = `${unread.size} of ${data.images.length} images could not be read`;
    onWarning?.(`${left}: left out, with the objects in them`);
  }
  for (const line of frames.warnings("the annotations")) onWarning?.(line);
  return { data: without(unread, data), detections };
}

function without(unread: ReadonlySet<number>, data: Annotations): Annotations {
  return {
    ...data,
    images: data.images.filter(({ id }) => !unread.has(id)),
    objects: data.objects.filter(({ image }) => !unread.has(image)),
  };
}
