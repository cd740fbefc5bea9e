/** From a detector's classes to a data set's categories, by their names. */
import type { Detected } from "./detector.js";
import { DetectionError, type Category } from "./records.js";
import type { WrittenDetection } from "./write.js";

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
 * @throws {DetectionError} where the classes have no names, or none is a category's
 */
export function matchCategories(
  labels: readonly string[] | undefined,
  categories: readonly Category[],
  model: string,
  place: string,
): CategoryMatch {
  if (labels === undefined) {
    throw new DetectionError(`${model}: its classes have no names by which to find them among those of ${place}`);
  }
  const byName = new Map(categories.map(({ id, name }) => [name, id]));
  const ids = labels.map((label) => byName.get(label));
  const names = categories.map(({ name }) => name);
  if (ids.every((id) => id === undefined)) {
    throw new DetectionError(
      `${model}: none of its classes (${someOf(labels)}) is a category of ${place} (${someOf(names)})`,
    );
  }
  const unknown = new Set(labels.filter((_, index) => ids[index] === undefined));
  const unseen = names.filter((name) => !labels.includes(name));
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

function someOf(names: readonly string[]): string {
  return [...names.slice(0, 3), ...(names.length > 3 ? ["..."] : [])].join(", ");
}

/**
 * What was found, as COCO's files have it. Pictures with errors have none, and what is of no category is left out.
 *
 * @param categoryOf of a class; the index itself plus one where no data set says otherwise
 */
export function toDetections(
  detected: Detected,
  image: number | string,
  categoryOf: (index: number) => number | undefined = (index) => index + 1,
): WrittenDetection[] {
  if ("error" in detected) return [];
  return detected.objects.flatMap(({ index, box, score }) => {
    const category = categoryOf(index);
    return category === undefined ? [] : [{ image, category, box, score }];
  });
}
