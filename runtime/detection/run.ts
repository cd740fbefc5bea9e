/** A detector, run over annotated pictures. */
import type { ImageSource } from "../images/source.js";
import { matchCategories, toDetections } from "./categories.js";
import type { Detected, Detector } from "./detector.js";
import { counted, Tally } from "./read/fields.js";
import { DetectionError, type Detection, type DetectionData } from "./records.js";

export interface DetectDataOptions {
  /** Pictures that go through the network at once. Default 1. */
  readonly batch?: number;
  /** An error instead of leaving out a picture that can't be read. */
  readonly strict?: boolean;
  readonly onWarning?: (message: string) => void;
  readonly onProgress?: (done: number, total: number) => void;
}

export interface DetectedData {
  /** Without the pictures that could not be read, and the objects in them. */
  readonly data: DetectionData;
  /** All that the model gives, however unsure. */
  readonly detections: readonly Detection[];
}

/**
 * Finds objects in the pictures of a data set, whose categories are those of the detector's classes that have their names.
 *
 * @param images where each picture is, by id
 * @throws {DetectionError} where no class is a category, or no picture can be read
 * @throws {SessionError}
 */
export async function detectData(
  detector: Detector,
  data: DetectionData,
  images: ReadonlyMap<number, ImageSource>,
  { batch, strict = false, onWarning, onProgress }: DetectDataOptions = {},
): Promise<DetectedData> {
  const { ids, warnings } = matchCategories(detector.labels, data.categories, detector.session.name, "the annotations");
  for (const warning of warnings) onWarning?.(warning);
  const detections: Detection[] = [];
  const unread = new Set<number>();
  const otherSizes = new Tally();
  let next = 0;
  const take = (detected: Detected): void => {
    const { id, width, height } = data.pictures[next++]!;
    if ("error" in detected) {
      if (strict) throw new DetectionError(detected.error);
      onWarning?.(detected.error);
      unread.add(id);
      return;
    }
    const isOther = width !== undefined && (width !== detected.width || height !== detected.height);
    const size = `${detected.width}x${detected.height}`;
    if (isOther) otherSizes.add(() => `${detected.image} is ${size}, annotated ${width}x${height}`);
    const found = toDetections(detected, id, (index) => ids[index]);
    for (const detection of found) detections.push({ ...detection, image: id });
  };
  const sources = data.pictures.map(({ id }) => images.get(id)!);
  await detector.detect(sources, {
    ...(batch !== undefined && { batch }),
    ...(onProgress && { onProgress }),
    onPicture: take,
  });
  if (unread.size === data.pictures.length) throw new DetectionError("no picture could be read");
  const words = (n: number) => `${counted(n, "picture")} of another size than annotated`;
  for (const line of otherSizes.lines("the annotations", words)) onWarning?.(line);
  return { data: without(unread, data), detections };
}

function without(unread: ReadonlySet<number>, data: DetectionData): DetectionData {
  return {
    ...data,
    pictures: data.pictures.filter(({ id }) => !unread.has(id)),
    objects: data.objects.filter(({ image }) => !unread.has(image)),
  };
}
