/** Objects and detections, put together by image, one category after the other. */
import type { Category, Detection, Annotations, GroundTruth } from "../../data/objects.js";

/** What is needed to judge detections. */
export type Annotated = Pick<Annotations, "images" | "categories" | "objects">;

/** Of one category in one image. */
export interface Scene {
  /** In the order in which they were given. */
  readonly objects: readonly GroundTruth[];
  /** Surest first; equals in the order in which they were given. */
  readonly detections: readonly Detection[];
}

/**
 * Calls for each category, by ascending id, with its scenes, by ascending id of the image and without those in which
 * there is nothing. What is of an image or a category that is not listed is left out.
 */
export function mapCategories<T>(
  { images, categories, objects }: Annotated,
  detections: readonly Detection[],
  call: (category: Category, scenes: readonly Scene[]) => T,
): T[] {
  const listed = new Set(images.map((image) => image.id));
  const ordered = [...new Map(categories.map((category) => [category.id, category])).values()];
  ordered.sort((a, b) => a.id - b.id);
  const objectsOf = byCategory(objects, ordered, listed);
  const detectionsOf = byCategory(detections, ordered, listed);
  return ordered.map((category) => call(category, scenes(objectsOf.get(category.id)!, detectionsOf.get(category.id)!)));
}

interface Placed {
  readonly image: number;
  readonly category: number;
}

function byCategory<T extends Placed>(
  all: readonly T[],
  categories: readonly Category[],
  listed: ReadonlySet<number>,
): Map<number, T[]> {
  const lists = new Map(categories.map(({ id }): [number, T[]] => [id, []]));
  for (const item of all) if (listed.has(item.image)) lists.get(item.category)?.push(item);
  return lists;
}

/** Both lists are of one category; the sort keeps the order of equals. */
function scenes(objects: GroundTruth[], detections: Detection[]): Scene[] {
  objects.sort((a, b) => a.image - b.image);
  detections.sort((a, b) => a.image - b.image || b.score - a.score);
  const all: Scene[] = [];
  for (let o = 0, d = 0; o < objects.length || d < detections.length;) {
    const image = Math.min(objects[o]?.image ?? Infinity, detections[d]?.image ?? Infinity);
    const [lastObject, lastDetection] = [endOf(objects, o, image), endOf(detections, d, image)];
    all.push({ objects: objects.slice(o, lastObject), detections: detections.slice(d, lastDetection) });
    [o, d] = [lastObject, lastDetection];
  }
  return all;
}

function endOf(items: readonly Placed[], start: number, image: number): number {
  let end = start;
  while (items[end]?.image === image) end++;
  return end;
}
