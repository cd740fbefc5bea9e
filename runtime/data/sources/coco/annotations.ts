/** COCO's `instances.json`: images, categories and objects. */
import type { Category, Annotations, GroundTruth, AnnotatedImage } from "../../objects.js";
import { isAbsent, Place, type Fields } from "./fields.js";
import { Ids } from "./ids.js";
import { readJson } from "./json.js";
import { counted, Problems, shown, Tally } from "../annotated/problems.js";
import type { ObjectMask } from "../../masks/outline.js";
import { DataError } from "../../../data-error.js";
import { readSegmentation } from "./segmentation.js";

/** What of the annotations is read. */
export interface CocoOptions {
  /** The objects' masks too, which take room. Those that are none are left out, with a warning. Default false. */
  readonly masks?: boolean;
}

/**
 * Reads annotations. Objects of images or categories that the file doesn't list are left out, with a warning.
 *
 * @throws {DataError} one line: a missing or repeated id, a box that is none, a negative size, ...; of several how
 *   many there are and the first
 */
export async function readCocoAnnotations(file: string, options: CocoOptions = {}): Promise<Annotations> {
  return parseCocoAnnotations(await readJson(file), file, options);
}

/**
 * Annotations as {@link readCocoAnnotations} reads them.
 *
 * @param json what JSON.parse gave
 * @param file for messages
 * @throws {DataError} as there
 */
export function parseCocoAnnotations(
  json: unknown,
  file: string,
  { masks: areRead = false }: CocoOptions = {},
): Annotations {
  const place = new Place(file);
  const root = place.object(json);
  const problems = new Problems(file);
  const reader = { file, problems };
  const images = things(reader, "image", place.list(root, "images"), readImage);
  const categories = things(reader, "category", place.list(root, "categories"), readCategory);
  const knownImages = new Map(images.read.map((image) => [image.id, image]));
  const knownCategories = new Set(categories.read.map(({ id }) => id));
  const tallies = {
    strayImages: new Tally(),
    strayCategories: new Tally(),
    withoutArea: new Tally(),
    areaNaN: new Tally(),
    crowdNull: new Tally(),
    badMasks: new Tally(),
  };
  const maskOf = (fields: Fields, image: AnnotatedImage, called: string): ObjectMask | undefined => {
    const { width, height } = image;
    const size = width !== undefined && height !== undefined ? ([height, width] as const) : undefined;
    try {
      return areRead ? readSegmentation(fields["segmentation"], size, new Place(called)) : undefined;
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      tallies.badMasks.add(() => error.message);
      return undefined;
    }
  };

  const { read: objects } = things(reader, "annotation", place.list(root, "annotations"), (fields, at, id, called) => {
    const box = at.box(fields, "bbox");
    const hasArea = !isAbsent(fields["area"]);
    const area = hasArea ? at.numberOrNaN(fields, "area") : box[2] * box[3];
    if (area < 0) at.fail(`"area" is negative: ${area}`);
    const image = images.ids.of(fields["image_id"], "image_id", at);
    const category = categories.ids.of(fields["category_id"], "category_id", at);
    const isCrowd = at.flag(fields, "iscrowd");
    const isDifficult = at.flag(fields, "difficult");
    if (!hasArea) tallies.withoutArea.add(() => called);
    if (Number.isNaN(area)) tallies.areaNaN.add(() => called);
    if (fields["iscrowd"] === null) tallies.crowdNull.add(() => called);
    if (image === undefined || !knownImages.has(image)) {
      tallies.strayImages.add(() => `${called} of image ${shown(fields["image_id"])}`);
      return undefined;
    }
    if (category === undefined || !knownCategories.has(category)) {
      tallies.strayCategories.add(() => `${called} of category ${shown(fields["category_id"])}`);
      return undefined;
    }
    const mask = maskOf(fields, knownImages.get(image)!, called);
    return { id, image, category, box, area, ...(mask && { mask }), isCrowd, isDifficult } satisfies GroundTruth;
  });
  problems.throwIfAny();
  return {
    images: images.read,
    categories: categories.read,
    objects,
    warnings: [
      ...tallies.strayImages.lines(file, (n) => `left out ${counted(n, "annotation")} of images that are not listed`),
      ...tallies.strayCategories.lines(
        file,
        (n) => `left out ${counted(n, "annotation")} of categories that are not listed`,
      ),
      ...tallies.withoutArea.lines(file, (n) => `${counted(n, "annotation")} without "area": taken from the box`),
      ...tallies.areaNaN.lines(
        file,
        (n) => `${counted(n, "annotation")} with the "area" NaN: of every size, as pycocotools counts them`,
      ),
      ...tallies.crowdNull.lines(file, (n) => `${counted(n, "annotation")} with "iscrowd" null: taken for no crowds`),
      ...tallies.badMasks.lines(file, (n) => `${counted(n, "annotation")} whose "segmentation" is no mask`),
      ...(objects.some(({ id }) => id === 0)
        ? [`${file}: an annotation has id 0, and COCO's evaluation takes what finds it for wrong: number from 1`]
        : []),
    ],
  };
}

function readImage(fields: Fields, at: Place, id: number): AnnotatedImage {
  const file = isAbsent(fields["file_name"]) ? "" : at.text(fields, "file_name");
  const textId = typeof fields["id"] === "string" ? { textId: fields["id"] } : {};
  const isSized = !isAbsent(fields["width"]) && !isAbsent(fields["height"]);
  if (!isSized) return { id, ...textId, file };
  const [width, height] = [at.integer(fields, "width"), at.integer(fields, "height")];
  if (width < 1 || height < 1) at.fail(`an image can't be of ${width} x ${height} pixels`);
  return { id, ...textId, file, width, height };
}

function readCategory(fields: Fields, at: Place, id: number): Category {
  const textId = typeof fields["id"] === "string" ? { textId: fields["id"] } : {};
  return { id, ...textId, name: at.text(fields, "name") };
}

/**
 * Reads the things of a list, each of which has an id of its own.
 *
 * @param read gives undefined for what is left out; `called` is the thing in words: `annotation 5`
 */
function things<T>(
  { file, problems }: { readonly file: string; readonly problems: Problems },
  thing: string,
  list: readonly unknown[],
  read: (fields: Fields, at: Place, id: number, called: string) => T | undefined,
): { readonly read: T[]; readonly ids: Ids } {
  const ids = new Ids(list.map((entry) => (entry as { id?: unknown } | null | undefined)?.id));
  const seen = new Set<number>();
  const all: T[] = [];
  list.forEach((entry, index) => {
    const one = problems.attempt(() => {
      const unnamed = new Place(`${file}: ${thing} number ${index + 1}`);
      const fields = unnamed.object(entry);
      const id = ids.own(fields["id"], "id", unnamed);
      const called = `${thing} ${shown(fields["id"])}`;
      const at = new Place(`${file}: ${called}`);
      if (seen.has(id)) at.fail("there are two with this id");
      seen.add(id);
      return read(fields, at, id, called);
    });
    if (one !== undefined) all.push(one);
  });
  return { read: all, ids };
}
