/** From a detector's classes to a data set's categories, by their names or their places. */
import type { ClassesBy } from "../data/class-match.js";
import type { Detected } from "./detector.js";
import { shortened } from "../data/sources/annotated/problems.js";
import { DataError } from "../data-error.js";
import type { Category, Detection } from "../data/objects.js";

/** Which category each class of a detector is. */
export interface CategoryMatch {
  /** For each class of the detector its category's id, where the data set has one of this name. */
  readonly ids: readonly (number | undefined)[];
  /** Classes that the data set doesn't have, and categories that the detector doesn't: one line each. */
  readonly warnings: readonly string[];
}

/**
 * @param labels names of the detector's classes
 * @param model for messages
 * @param place of the categories, for messages
 * @param by position: the first class is the category with the lowest id, and so on
 * @throws {DataError} where the classes have no names, or none is a category's; by position, where there are more or
 *   fewer categories than names
 */
export function matchCategories(
  labels: readonly string[] | undefined,
  categories: readonly Category[],
  model: string,
  place: string,
  by: ClassesBy = "name",
): CategoryMatch {
  if (by === "position") return inOrder(labels, categories, model, place);
  if (labels === undefined) {
    throw new DataError(
      `${model}: its classes have no names by which to find them among those of ${place}; --classes-by position takes them in order`,
    );
  }
  const [own, names] = [labels, categories.map(({ name }) => name)].map((all) => all.map(plain)) as [
    string[],
    string[],
  ];
  const byName = new Map(categories.map(({ id }, index) => [names[index]!, id]));
  const ids = own.map((label) => byName.get(label));
  if (ids.every((id) => id === undefined)) {
    throw new DataError(
      `${model}: none of its classes (${someOf(labels)}) is a category of ${place} (${someOf(names)})`,
    );
  }
  const unknown = new Set(labels.filter((_, index) => ids[index] === undefined));
  const known = new Set(own);
  const unseen = names.filter((name) => !known.has(name));
  return {
    ids,
    warnings: [
      ...(unknown.size === 0
        ? []
        : [`${model}: left out what is of classes that are not in ${place} (${someOf([...unknown])})`]),
      ...(unseen.length === 0 ? [] : [`${model}: has no class for categories of ${place} (${someOf(unseen)})`]),
    ],
  };
}

/**
 * Which class of a detector each category is, by name as in {@link matchCategories}: the way back.
 *
 * @param labels names of the detector's classes
 * @returns class numbers by the category's id, of those that have one
 */
export function classNumbers(labels: readonly string[], categories: readonly Category[]): ReadonlyMap<number, number> {
  const places = new Map<string, number>();
  // Of several classes of one name the first.
  for (const [index, label] of labels.entries()) if (!places.has(plain(label))) places.set(plain(label), index);
  return new Map(
    categories.flatMap(({ id, name }) => {
      const place = places.get(plain(name));
      return place === undefined ? [] : [[id, place] as const];
    }),
  );
}

function inOrder(
  labels: readonly string[] | undefined,
  categories: readonly Category[],
  model: string,
  place: string,
): CategoryMatch {
  if (labels !== undefined && labels.length !== categories.length) {
    throw new DataError(`${model} has ${labels.length} classes, ${place} ${categories.length} categories`);
  }
  const ordered = [...categories].sort((a, b) => a.id - b.id);
  const others = ordered.flatMap(({ name }, index) =>
    labels === undefined || plain(labels[index]!) === plain(name) ? [] : [`${labels[index]!} is ${name}`],
  );
  const names = labels === undefined ? "it carries no names" : `${others.length} have other names (${someOf(others)})`;
  return {
    ids: ordered.map(({ id }) => id),
    warnings:
      labels !== undefined && others.length === 0
        ? []
        : [`${model}: its classes are taken for the categories of ${place} by position, as asked; ${names}`],
  };
}

/** Unicode's forms of a name are one name. */
function plain(name: string): string {
  return name.normalize("NFC").trim();
}

export function someOf(names: readonly string[]): string {
  return [...names.slice(0, 3).map((name) => shortened(name)), ...(names.length > 3 ? ["..."] : [])].join(", ");
}

/**
 * What was found, as COCO's files have it. Images with errors have none, and what is of no category is left out.
 *
 * @param categoryOf of a class; the index itself plus one where no data set says otherwise
 */
export function toDetections(
  detected: Detected,
  image: number | string,
  categoryOf: (index: number) => number | undefined = (index) => index + 1,
): (Omit<Detection, "image"> & { readonly image: number | string })[] {
  if ("error" in detected) return [];
  return detected.objects.flatMap(({ index, box, score, mask }) => {
    const category = categoryOf(index);
    return category === undefined ? [] : [{ image, category, box, score, ...(mask && { mask }) }];
  });
}
