/** COCO's lists of detections: what a detector found, each with image_id, category_id, bbox and score. */
import type { Detection, Annotations } from "../../objects.js";
import { boxOf } from "../../masks/mask.js";
import { maskOf } from "../../masks/outline.js";
import { isAbsent, Place } from "./fields.js";
import { Ids } from "./ids.js";
import { imageNames } from "../annotated/image-names.js";
import { readJson } from "./json.js";
import { readSegmentation } from "./segmentation.js";
import { counted, Problems, shown, Tally } from "../annotated/problems.js";

/** Detections of a file, and what of it was left out. */
export interface Detections {
  readonly detections: readonly Detection[];
  /** What was left out: one line each. */
  readonly warnings: readonly string[];
}

/**
 * Reads a list of detections. The image may also be told by its file's name, as long as that is one image's alone.
 * Detections of categories that the annotations don't list are left out, with a warning.
 *
 * @throws {DataError} one line: an image that the annotations don't list, a score that is no number, ...; of several
 *   how many there are and the first
 */
export async function readCocoDetections(
  file: string,
  data: Pick<Annotations, "images" | "categories">,
): Promise<Detections> {
  return parseCocoDetections(await readJson(file), file, data);
}

/**
 * Detections as {@link readCocoDetections} reads them.
 *
 * @param json what JSON.parse gave
 * @param file for messages
 * @throws {DataError} as there
 */
export function parseCocoDetections(
  json: unknown,
  file: string,
  { images, categories }: Pick<Annotations, "images" | "categories">,
): Detections {
  if (!Array.isArray(json)) new Place(file).fail("detections must be a list");
  const imageOf = imageFinder(images);
  const categoryIds = new Ids(categories.map(({ id, textId }) => textId ?? id));
  const known = new Set(categories.map(({ id }) => id));
  const sizes = new Map(
    images.flatMap(({ id, width, height }) =>
      width === undefined || height === undefined ? [] : [[id, [height, width] as const] as const],
    ),
  );
  const strays = new Tally();
  const problems = new Problems(file);
  const detections: Detection[] = [];
  (json as unknown[]).forEach((entry, index) => {
    problems.attempt(() => {
      const at = new Place(`${file}: detection number ${index + 1}`);
      const fields = at.object(entry);
      const image = imageOf(fields["image_id"], at);
      const category = categoryIds.of(fields["category_id"], "category_id", at);
      const mask = readSegmentation(fields["segmentation"], sizes.get(image), at);
      // Lists of masks alone have no boxes.
      const box = mask && isAbsent(fields["bbox"]) ? boxOf(maskOf(mask)) : at.box(fields, "bbox");
      const detection = { image, box, score: at.number(fields, "score"), ...(mask && { mask }) };
      if (category !== undefined && known.has(category)) detections.push({ ...detection, category });
      else strays.add(() => `number ${index + 1} of category ${shown(fields["category_id"])}`);
    });
  });
  problems.throwIfAny();
  const words = (n: number) => `left out ${counted(n, "detection")} of categories that the annotations don't list`;
  return { detections, warnings: strays.lines(file, words) };
}

function imageFinder(images: Annotations["images"]): (value: unknown, at: Place) => number {
  const ids = new Set(images.map(({ id }) => id));
  const byTextId = new Map(images.flatMap(({ id, textId }) => (textId === undefined ? [] : [[textId, id] as const])));
  const named = imageNames(images);
  const stranger = (value: unknown, at: Place): never => {
    const isQuoted =
      typeof value === "string" && byTextId.size === 0 && ids.has(value.trim() === "" ? NaN : Number(value));
    const hint = isQuoted ? `, but an image ${Number(value)}: write the number without quotes` : "";
    return at.fail(`the annotations list no image ${shown(value)}${hint}`);
  };
  return (value, at) => {
    if (typeof value !== "string") {
      if (byTextId.size > 0) at.fail(`"image_id" must be a text, as the ids are, not ${shown(value)}`);
      if (!Number.isSafeInteger(value)) at.fail(`"image_id" must be a whole number, not ${shown(value)}`);
      return ids.has(value as number) ? (value as number) : stranger(value, at);
    }
    const found = byTextId.has(value) ? [byTextId.get(value)!] : named(value);
    if (found.length > 1) {
      const [first, second] = found.map((id) => images.find((image) => image.id === id)!.file);
      at.fail(`"image_id" ${shown(value)} is the name of ${found.length} images: ${shown(first)} and ${shown(second)}`);
    }
    return found[0] ?? stranger(value, at);
  };
}
