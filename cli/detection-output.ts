/** The folder that `detect -o` writes: images with what was found drawn on them, and detections.json. */
import { realpath } from "node:fs/promises";
import path from "node:path";
import type { Detected, Detector } from "../runtime/detection/detector.js";
import type { WrittenDetection } from "../runtime/data/sources/coco/write.js";
import type { Image } from "../runtime/images/image.js";
import { UsageFailure } from "./failure.js";
import { log, logWarning } from "./terminal.js";

export interface DetectionOutput {
  readonly folder: string;
  /** detections.json in it. */
  readonly list: string;
  /** Files by the image's place in the list. */
  readonly drawn: ReadonlyMap<number, string>;
  /** Whether an image could not be drawn, which was told. */
  readonly hasFailed: () => boolean;
  /** To be called for each image in the order of the list. */
  readonly draw: (detected: Detected, pixels: Image | undefined) => Promise<void>;
  /** Writes detections.json. */
  readonly finish: (results: readonly Detected[]) => Promise<void>;
}

/**
 * @param images names in the order in which they will be drawn
 * @param annotations whose ids of categories and images detections get
 * @throws {FileError | DataError}
 */
export async function openDetectionOutput(
  folder: string,
  images: readonly string[],
  detector: Detector,
  annotations: string | undefined,
): Promise<DetectionOutput> {
  const { checkTarget, makeFolder, writeWhole } = await import("../runtime/files.js");
  const { writeCocoDetections } = await import("../runtime/data/sources/coco/write.js");
  const { drawDetections } = await import("../runtime/detection/overlay/index.js");
  const { ImageError } = await import("../runtime/images/image.js");
  const numbered = annotations === undefined ? await byName(images) : await byAnnotations(annotations, detector);
  await makeFolder(folder);
  const names = drawnNames(images);
  const list = path.join(folder, DETECTIONS);
  // Before hours of work: a link in the folder, say, that leads elsewhere.
  for (const file of [list, ...names.map((name) => path.join(folder, name))]) await checkTarget(file);
  const drawn = new Map<number, string>();
  let next = 0;
  let failures = 0;
  return {
    folder,
    list,
    drawn,
    hasFailed: () => failures > 0,
    async draw(detected, pixels) {
      const index = next++;
      if ("error" in detected || pixels === undefined) return;
      const file = path.join(folder, names[index]!);
      const marks = detected.objects.map(({ index: number, ...object }) => ({ ...object, class: number }));
      try {
        await writeWhole(file, [
          await drawDetections(pixels, marks, { format: file.endsWith(".jpg") ? "jpeg" : "png" }),
        ]);
        drawn.set(index, file);
      } catch (error) {
        if (!(error instanceof ImageError)) throw error;
        failures++;
        logWarning(`${detected.image}: ${error.message}`);
      }
    },
    finish: (results) => writeCocoDetections(list, results.flatMap(numbered)),
  };
}

const DETECTIONS = "detections.json";

type Numbered = (detected: Detected) => WrittenDetection[];

/** Without a data set: an image is its file's name, or its path where several have this name. */
async function byName(images: readonly string[]): Promise<Numbered> {
  const { toDetections } = await import("../runtime/detection/categories.js");
  log("detections.json: category_id is the label's place + 1, image_id the file's name; --categories has a data set's");
  const paths = new Map<string, Set<string>>();
  for (const image of images) {
    const name = path.basename(image);
    paths.set(name, (paths.get(name) ?? new Set()).add(image));
  }
  return (detected) => {
    const name = path.basename(detected.image);
    return toDetections(detected, paths.get(name)!.size > 1 ? detected.image : name);
  };
}

async function byAnnotations(annotations: string, { labels, session }: Detector): Promise<Numbered> {
  const { matchCategories, toDetections } = await import("../runtime/detection/categories.js");
  const { imageNames } = await import("../runtime/data/sources/annotated/image-names.js");
  const { withOwnIds } = await import("../runtime/data/sources/coco/write.js");
  const { readAnnotations } = await import("../runtime/data/sources/annotated/index.js");
  const data = await readAnnotations(annotations);
  const { ids, warnings } = matchCategories(labels, data.categories, session.name, annotations);
  for (const warning of warnings) logWarning(warning);
  const named = imageNames(data.images);
  return (detected) => {
    const found = named(detected.image);
    if (found.length > 1) {
      logWarning(`${detected.image}: ${found.length} images of ${annotations} have this name: image_id is the path`);
    }
    const image = found.length > 1 ? detected.image : (found[0] ?? path.basename(detected.image));
    return [
      ...withOwnIds(
        toDetections(detected, image, (index) => ids[index]),
        data,
      ),
    ];
  };
}

/**
 * A name for each image that is drawn: its file's, without folders; numbered where several have the same. JPEG stays
 * JPEG, all else becomes PNG.
 */
export function drawnNames(images: readonly string[]): string[] {
  const taken = new Set<string>();
  return images.map((image) => {
    const { name, ext } = path.parse(image);
    const ending = /^\.jpe?g$/i.test(ext) ? ".jpg" : ".png";
    let drawn = `${name}${ending}`;
    // Some file systems take A.png and a.png for the same.
    for (let copy = 2; taken.has(drawn.toLowerCase()); copy++) drawn = `${name}-${copy}${ending}`;
    taken.add(drawn.toLowerCase());
    return drawn;
  });
}

/**
 * What is drawn must not take the place of what is read.
 *
 * @throws {UsageFailure}
 */
export async function refuseToOverwrite(images: readonly string[], folder: string): Promise<void> {
  const real = (file: string) => realpath(file).catch(() => undefined);
  const read = new Set(await Promise.all(images.map(real)));
  for (const name of drawnNames(images)) {
    const file = await real(path.join(folder, name));
    if (file === undefined || !read.has(file)) continue;
    throw new UsageFailure(`-o ${folder}: ${name} would be written over the image that is read; name another folder`);
  }
}
