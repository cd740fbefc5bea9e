/** The data that a detector is trained on, looked at before hours are spent: what is used of it, and what is wrong. */
import type { ObjectRules } from "../../../compiler/model.js";
import type { AnnotatedSplit } from "../../data/data-set.js";
import type { DetectionImage } from "../../data/detection/reader.js";
import { DataError } from "../../data-error.js";
import type { Annotations, Category, GroundTruth } from "../../data/objects.js";
import { counted, Tally } from "../../data/sources/annotated/problems.js";
import { classNumbers, someOf } from "../../detection/categories.js";
import { readHeaders, type HeaderOptions } from "./headers.js";
import { calledImage, Inspector } from "./inspector.js";

/** What the data are compared with, and how. */
export interface CheckOptions extends HeaderOptions {
  /** Names of the detector's classes. */
  readonly labels: readonly string[];
  /** For messages. */
  readonly names: { readonly model: string; readonly data: string };
  readonly rules: ObjectRules;
  /** The detector learns masks: objects without one are left out. */
  readonly masks?: boolean;
}

/** Images that can be trained on. */
export interface CheckedData {
  readonly images: readonly DetectionImage[];
  /** How many objects are in them. */
  readonly objects: number;
  /** What may be a mistake: one line each, with a count and the first. */
  readonly warnings: readonly string[];
  /** What the rules leave out: one line each. */
  readonly notices: readonly string[];
}

/**
 * Compares all annotations with the detector's classes and with the images, whose headers are read. Boxes are clipped to
 * their images.
 *
 * - Errors: objects of categories that the detector has no class for; two images, or two objects, with one id; nothing that
 *   is left; boxes of which none is a pixel large; with `strict`, images that can't be read.
 * - Warnings: images that can't be read (left out), are of another size than annotated, or are listed twice; boxes without
 *   area or outside of the image (left out), reaching out of it (clipped), or smaller than a pixel; objects that are there twice; classes of which
 *   there is no object.
 *
 * @throws {DataError} one line
 */
export async function checkDetectionData(split: AnnotatedSplit, options: CheckOptions): Promise<CheckedData> {
  const { labels, names, rules } = options;
  const { data, model } = names;
  const annotations = split.annotations();
  checkIds("image", annotations.images, data);
  checkIds("object", annotations.objects, data);
  const classes = classNumbers(labels, annotations.categories);
  checkCategories(annotations, classes, names);
  const headers = await readHeaders(split, data, options);
  const inspector = new Inspector(rules, classes, options.masks);
  const objects = byImage(annotations.objects);
  const images: DetectionImage[] = [];
  annotations.images.forEach((image, index) => {
    const size = headers.sizes[index];
    const known = size && inspector.look(image, size, objects.get(image.id) ?? []);
    if (known) images.push({ index, size, ...known });
  });
  const warnings = [...headers.warnings, ...sameFiles(annotations, data), ...inspector.warnings(data)];
  const notices = inspector.notices(data);
  if (inspector.objects === 0) {
    const why = [...warnings, ...notices].map((line) => line.replace(`${data}: `, ""));
    throw new DataError(`${data}: no object is left to train on${why.length === 0 ? "" : `: ${why.join("; ")}`}`);
  }
  if (inspector.areShares) {
    throw new DataError(
      `${data}: no box is a pixel wide or high: boxes seem to be shares of the images' sizes, where pixels are needed`,
    );
  }
  const unseen = inspector.unseen(labels.length).map((index) => labels[index]!);
  if (unseen.length > 0) {
    warnings.push(
      `${data}: no object of ${unseen.length} of the ${labels.length} classes of ${model} (${someOf(unseen)})`,
    );
  }
  return { images, objects: inspector.objects, warnings, notices };
}

function checkIds(thing: string, all: readonly { readonly id: number }[], data: string): void {
  const [seen, twice] = [new Set<number>(), new Set<number>()];
  for (const { id } of all) (seen.has(id) ? twice : seen).add(id);
  if (twice.size === 0) return;
  throw new DataError(
    `${data}: ${counted(twice.size, "id")} of more than one ${thing} (${someOf([...twice].map(String))})`,
  );
}

/** A category that no object is of may have any name. */
function checkCategories(
  { categories, objects }: Annotations,
  classes: ReadonlyMap<number, number>,
  { data, model }: CheckOptions["names"],
): void {
  const used = new Map<number, number>();
  for (const { category } of objects) used.set(category, (used.get(category) ?? 0) + 1);
  const unknown = categories.filter(({ id }: Category) => used.has(id) && !classes.has(id));
  if (unknown.length === 0) return;
  const count = unknown.reduce((sum, { id }) => sum + used.get(id)!, 0);
  const named = someOf(unknown.map(({ name }) => JSON.stringify(name)));
  throw new DataError(
    `${data}: ${counted(count, "object")} of categories that are no class of ${model}: ${named}; ` +
      "give the detector a class of each name, or leave the objects out of the data",
  );
}

/** Images that are listed more than once are seen more often than others. */
function sameFiles({ images }: Annotations, data: string): string[] {
  const seen = new Set<string>();
  const twice = new Tally();
  for (const image of images) {
    if (image.file !== "" && seen.has(image.file)) twice.add(() => calledImage(image));
    seen.add(image.file);
  }
  return twice.lines(data, (n) => `${counted(n, "image")} listed more than once, under other ids`);
}

function byImage(objects: readonly GroundTruth[]): ReadonlyMap<number, readonly GroundTruth[]> {
  const groups = new Map<number, GroundTruth[]>();
  for (const object of objects) {
    const known = groups.get(object.image);
    if (known) known.push(object);
    else groups.set(object.image, [object]);
  }
  return groups;
}
