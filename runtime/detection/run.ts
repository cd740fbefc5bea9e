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
import { ALONE, type Group } from "../parallel/group.js";
import { shareOf, type Share } from "../parallel/ranks.js";

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
  /** Processes among which the images are shared out; what all find is known to each then. Default: this one alone. */
  readonly group?: Group;
  /** Called after each image, of those of this process. */
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
  options: DetectDataOptions = {},
): Promise<DetectedData> {
  const { classesBy, onWarning, group = ALONE } = options;
  const { labels, session } = detector;
  const data = split.annotations();
  const { ids, warnings } = matchCategories(labels, data.categories, session.name, "the annotations", classesBy);
  for (const warning of warnings) onWarning?.(warning);
  const found = await group.together(() =>
    detectShare(detector, split, shareOf(data.images.length, group), (label) => ids[label], options),
  );
  const unread = new Set(found.flatMap((each) => each.unread));
  // Of one process they were told as they came.
  if (group.size > 1) found.flatMap((each) => each.warnings).forEach((line) => onWarning?.(line));
  if (unread.size === data.images.length) throw group.common(new DataError("no image could be read"));
  if (unread.size > 0) {
    const left = `${unread.size} of ${data.images.length} images could not be read`;
    onWarning?.(`${left}: left out, with the objects in them`);
  }
  for (const line of found.flatMap((each) => each.frames)) onWarning?.(line);
  return { data: without(unread, data), detections: found.flatMap((each) => each.detections) };
}

/** What one process found in its images: plain data. */
interface Found {
  readonly detections: readonly Detection[];
  /** Images that it could not read. */
  readonly unread: readonly number[];
  /** Lines on those, and on images that are not as the annotations have them. */
  readonly warnings: readonly string[];
  readonly frames: readonly string[];
}

async function detectShare(
  detector: Detector,
  split: AnnotatedSplit,
  share: Share,
  idOf: (label: number) => number | undefined,
  { batch, strict = false, onWarning, onDetected, onProgress, group = ALONE }: DetectDataOptions,
): Promise<Found> {
  const data = split.annotations();
  const sources = Array.from({ length: share.count }, (_, at) => sampleSource(split.reference(share.first + at)));
  const detections: Detection[] = [];
  const unread = new Set<number>();
  const warnings: string[] = [];
  const frames = new Frames(data);
  let next = 0;
  const take = async (detected: Detected, pixels: Image | undefined): Promise<void> => {
    const at = next++;
    const index = share.first + at;
    const image = data.images[index]!;
    const { id } = image;
    if ("error" in detected) {
      if (strict) throw new DataError(detected.error);
      if (unread.add(id).size > NAMED) return;
      if (group.size > 1) warnings.push(detected.error);
      else onWarning?.(detected.error);
      return;
    }
    const found = toDetections(detected, id, idOf).map((each) => ({ ...each, image: id }));
    detections.push(...found);
    if (pixels) await onDetected?.(index, pixels, found);
    const { image: name, width, height } = detected;
    await frames.add(image, { name, width, height }, sources[at]!);
  };
  await detector.detect(sources, {
    ...(batch !== undefined && { batch }),
    ...(onProgress && { onProgress }),
    onImage: take,
  });
  return { detections, unread: [...unread], warnings, frames: [...frames.warnings("the annotations")] };
}

function without(unread: ReadonlySet<number>, data: Annotations): Annotations {
  return {
    ...data,
    images: data.images.filter(({ id }) => !unread.has(id)),
    objects: data.objects.filter(({ image }) => !unread.has(image)),
  };
}
