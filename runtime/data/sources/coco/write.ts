/** COCO's files, written: the same bytes for the same data, an entry a line. */
import { writeWhole, type WriteOptions } from "../../../files.js";
import type { ObjectMask } from "../../masks/outline.js";
import type { Detection, Annotations } from "../../objects.js";

/** An image is known by its id, or where nobody numbered it by its file's name; ids may be texts. */
export type WrittenDetection = Pick<Detection, "box" | "score" | "mask"> & {
  readonly image: number | string;
  readonly category: number | string;
};

/** With the ids that the annotations have for images and categories, where theirs are texts. */
export function withOwnIds(
  detections: readonly WrittenDetection[],
  { images, categories }: Pick<Annotations, "images" | "categories">,
): readonly WrittenDetection[] {
  const [imageIds, categoryIds] = [ownIds(images), ownIds(categories)];
  return detections.map(({ image, category, ...rest }) => ({
    ...rest,
    image: imageIds.get(image) ?? image,
    category: categoryIds.get(category) ?? category,
  }));
}

function ownIds(
  all: readonly { readonly id: number; readonly textId?: string }[],
): ReadonlyMap<unknown, number | string> {
  return new Map(all.map(({ id, textId }) => [id, textId ?? id]));
}

/**
 * Writes detections in the order in which they are given. Numbers are written so that the same are read back.
 *
 * @throws {FileError}
 */
export async function writeCocoDetections(
  file: string,
  detections: Iterable<WrittenDetection>,
  options: WriteOptions = {},
): Promise<void> {
  await writeWhole(file, pieces(list(detections, entryOf)), options);
}

/** As text, for a stream. */
export function* cocoDetections(detections: Iterable<WrittenDetection>): Generator<string> {
  yield* list(detections, entryOf);
}

function entryOf({ image, category, box, score, mask }: WrittenDetection): object {
  return { image_id: image, category_id: category, bbox: box, score, ...segmentationOf(mask) };
}

function segmentationOf(mask: ObjectMask | undefined): object {
  return mask === undefined ? {} : { segmentation: "polygons" in mask ? mask.polygons : mask };
}

/** @throws {FileError} */
export async function writeCocoAnnotations(file: string, data: Annotations): Promise<void> {
  await writeWhole(file, pieces(cocoAnnotations(data)));
}

export function* cocoAnnotations({ images, categories, objects }: Annotations): Generator<string> {
  yield '{\n"images": ';
  yield* list(images, ({ id, textId, file, width, height }) => ({
    id: textId ?? id,
    file_name: file,
    width,
    height,
  }));
  yield ',\n"categories": ';
  yield* list(categories, ({ id, textId, name }) => ({ id: textId ?? id, name }));
  yield ',\n"annotations": ';
  const [imageIds, categoryIds] = [ownIds(images), ownIds(categories)];
  yield* list(objects, ({ id, image, category, box, area, mask, isCrowd, isDifficult }) => ({
    id,
    image_id: imageIds.get(image),
    category_id: categoryIds.get(category),
    bbox: box,
    area,
    ...segmentationOf(mask),
    iscrowd: isCrowd ? 1 : 0,
    ...(isDifficult && { difficult: 1 }),
  }));
  yield "\n}\n";
}

function* list<T>(items: Iterable<T>, entry: (item: T) => object): Generator<string> {
  let before = "[\n";
  for (const item of items) {
    yield before + JSON.stringify(entry(item));
    before = ",\n";
  }
  yield before === "[\n" ? "[]" : "\n]";
}

/** Some hundred kilobytes at a time. */
function* pieces(texts: Iterable<string>): Generator<Uint8Array> {
  let gathered: string[] = [];
  for (const text of texts) {
    if (gathered.push(text) < 4096) continue;
    yield Buffer.from(gathered.join(""));
    gathered = [];
  }
  yield Buffer.from(gathered.join(""));
}
