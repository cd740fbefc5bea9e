/** COCO's files: `instances.json` with pictures, categories and objects, and lists of detections. */
import type { Category, Detection, DetectionData, GroundTruth, Picture } from "../records.js";
import { counted, Place, readJson, shown, Tally, type Fields } from "./fields.js";

/**
 * Reads annotations. Objects of pictures or categories that the file doesn't list are left out, with a warning.
 *
 * @throws {DetectionError} one line: a missing or repeated id, a box that is none, a negative size, ...
 */
export async function readCocoAnnotations(file: string): Promise<DetectionData> {
  return parseCocoAnnotations(await readJson(file), file);
}

/** @param json what JSON.parse gave */
export function parseCocoAnnotations(json: unknown, file: string): DetectionData {
  const place = new Place(file);
  const root = place.object(json);
  const pictures = unique(file, "image", place.list(root, "images"), readPicture);
  const categories = unique(file, "category", place.list(root, "categories"), readCategory);
  const knownPictures = new Set(pictures.map(({ id }) => id));
  const knownCategories = new Set(categories.map(({ id }) => id));
  const strayPictures = new Tally();
  const strayCategories = new Tally();
  const withoutArea = new Tally();

  const all = unique(file, "annotation", place.list(root, "annotations"), (fields, at, id): GroundTruth => {
    const box = at.box(fields, "bbox");
    if (fields["area"] === undefined) withoutArea.add(() => `annotation ${id}`);
    const area = fields["area"] === undefined ? box[2] * box[3] : at.number(fields, "area");
    if (area < 0) at.fail(`"area" is negative: ${area}`);
    return {
      id,
      image: at.integer(fields, "image_id"),
      category: at.integer(fields, "category_id"),
      box,
      area,
      isCrowd: at.flag(fields, "iscrowd"),
      isDifficult: at.flag(fields, "difficult"),
    };
  });
  const objects = all.filter(({ id, image, category }) => {
    if (!knownPictures.has(image)) strayPictures.add(() => `annotation ${id} of image ${image}`);
    else if (!knownCategories.has(category)) strayCategories.add(() => `annotation ${id} of category ${category}`);
    else return true;
    return false;
  });
  return {
    pictures,
    categories,
    objects,
    warnings: [
      ...strayPictures.lines(file, (n) => `left out ${counted(n, "annotation")} of images that are not listed`),
      ...strayCategories.lines(file, (n) => `left out ${counted(n, "annotation")} of categories that are not listed`),
      ...withoutArea.lines(file, (n) => `${counted(n, "annotation")} without "area": taken from the box`),
      ...(objects.some(({ id }) => id === 0)
        ? [`${file}: an annotation has id 0, and COCO's evaluation takes what finds it for wrong: number from 1`]
        : []),
    ],
  };
}

function readPicture(fields: Fields, at: Place, id: number): Picture {
  const file = fields["file_name"] === undefined ? String(id) : at.text(fields, "file_name");
  if (fields["width"] === undefined && fields["height"] === undefined) return { id, file };
  const [width, height] = [at.integer(fields, "width"), at.integer(fields, "height")];
  if (width < 1 || height < 1) at.fail(`a picture can't be of ${width} x ${height} pixels`);
  return { id, file, width, height };
}

function readCategory(fields: Fields, at: Place, id: number): Category {
  return { id, name: at.text(fields, "name") };
}

/** Reads the things of a list, each of which has an id of its own. */
function unique<T>(
  file: string,
  thing: string,
  list: readonly unknown[],
  read: (fields: Fields, at: Place, id: number) => T,
): T[] {
  const seen = new Set<number>();
  return list.map((entry, index) => {
    const unnamed = new Place(`${file}: ${thing} number ${index + 1}`);
    const fields = unnamed.object(entry);
    const id = unnamed.integer(fields, "id");
    const at = new Place(`${file}: ${thing} ${id}`);
    if (seen.has(id)) at.fail("there are two with this id");
    seen.add(id);
    return read(fields, at, id);
  });
}

export interface Detections {
  readonly detections: readonly Detection[];
  /** What was left out: one line each. */
  readonly warnings: readonly string[];
}

/**
 * Reads a list of detections, each with image_id, category_id, bbox and score. The picture may also be told by its
 * file's name. Detections of categories that the annotations don't list are left out, with a warning.
 *
 * @throws {DetectionError} one line: a picture that the annotations don't list, a score that is no number, ...
 */
export async function readCocoDetections(
  file: string,
  data: Pick<DetectionData, "pictures" | "categories">,
): Promise<Detections> {
  return parseCocoDetections(await readJson(file), file, data);
}

/** @param json what JSON.parse gave */
export function parseCocoDetections(
  json: unknown,
  file: string,
  { pictures, categories }: Pick<DetectionData, "pictures" | "categories">,
): Detections {
  if (!Array.isArray(json)) new Place(file).fail("detections must be a list");
  const ids = new Set(pictures.map(({ id }) => id));
  const byName = idsByName(pictures);
  const known = new Set(categories.map(({ id }) => id));
  const strays = new Tally();
  const detections = (json as unknown[]).map((entry, index): Detection => {
    const at = new Place(`${file}: detection number ${index + 1}`);
    const fields = at.object(entry);
    const named = fields["image_id"];
    const image = typeof named === "string" ? byName.get(named) : at.integer(fields, "image_id");
    if (image === undefined || !ids.has(image)) at.fail(`the annotations list no image ${shown(named)}`);
    return {
      image: image!,
      category: at.integer(fields, "category_id"),
      box: at.box(fields, "bbox"),
      score: at.number(fields, "score"),
    };
  });
  return {
    detections: detections.filter(({ category }, index) => {
      const isKnown = known.has(category);
      if (!isKnown) strays.add(() => `number ${index + 1} of category ${category}`);
      return isKnown;
    }),
    warnings: strays.lines(
      file,
      (n) => `left out ${counted(n, "detection")} of categories that the annotations don't list`,
    ),
  };
}

/** Ids of pictures by their files' names, with and without folders and endings. */
export function idsByName(pictures: readonly Picture[]): ReadonlyMap<string, number> {
  return new Map(pictures.flatMap(({ id, file }) => namesOf(file).map((key) => [key, id] as const)));
}

/** `JPEGImages/2008_000002.jpg`, `2008_000002.jpg` and `2008_000002` mean the same picture. */
function namesOf(file: string): string[] {
  const base = file.slice(file.lastIndexOf("/") + 1);
  return [file, base, base.replace(/\.[^.]+$/, "")];
}
