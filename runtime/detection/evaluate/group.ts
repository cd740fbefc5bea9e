/** Objects and detections, put together by picture, one category after the other. */
import type { Detection, DetectionData, GroundTruth } from "../records.js";

/** What is needed to judge detections. */
export type Annotated = Pick<DetectionData, "pictures" | "categories" | "objects">;

/** Of one category in one picture; in the order in which they were given. */
export interface Scene {
  readonly objects: GroundTruth[];
  readonly detections: Detection[];
}

/**
 * The scenes of each category, by the picture's id in ascending order, without those in which there is nothing.
 * What is of a picture or a category that is not listed is left out.
 */
export function groupByCategory(data: Annotated, detections: readonly Detection[]): Map<number, Scene[]> {
  const images = [...new Set(data.pictures.map((picture) => picture.id))].sort((a, b) => a - b);
  const place = new Map(images.map((id, index) => [id, index]));
  const grouped = new Map<number, Map<number, Scene>>();
  for (const { id } of data.categories) grouped.set(id, new Map());

  const sceneOf = (category: number, image: number): Scene | undefined => {
    const scenes = grouped.get(category);
    const index = place.get(image);
    if (scenes === undefined || index === undefined) return undefined;
    let scene = scenes.get(index);
    if (scene === undefined) scenes.set(index, (scene = { objects: [], detections: [] }));
    return scene;
  };
  for (const object of data.objects) sceneOf(object.category, object.image)?.objects.push(object);
  for (const detection of detections) sceneOf(detection.category, detection.image)?.detections.push(detection);

  return new Map(
    [...grouped].map(([category, scenes]) => [
      category,
      [...scenes].sort(([a], [b]) => a - b).map(([, scene]) => scene),
    ]),
  );
}
