/** PASCAL VOC's evaluation once more, written from its rules and as slowly as they read. */
import type { Detection, Annotations } from "../../../runtime/data/objects.js";

type Data = Pick<Annotations, "images" | "categories" | "objects">;

/** Average precision of each class, undefined where there is nothing to find. */
export function referenceVoc(
  data: Data,
  detections: readonly Detection[],
  metric: "voc07" | "voc10",
  threshold = 0.5,
): (number | undefined)[] {
  return data.categories.map(({ id }) => {
    const objects = data.objects.filter((object) => object.category === id);
    const wanted = objects.filter((object) => !object.isDifficult);
    if (wanted.length === 0) return undefined;
    const ordered = detections
      .filter((detection) => detection.category === id)
      .toSorted((a, b) => b.score - a.score || a.image - b.image);
    const found = new Set<number>();
    // 1 right, 0 wrong; undefined: neither.
    const verdicts = ordered.map((detection) => {
      const ious = objects
        .filter((object) => object.image === detection.image)
        .map((object) => ({ object, iou: iou(detection.box, object.box) }));
      const top = Math.max(...ious.map((candidate) => candidate.iou));
      if (!(top > threshold)) return 0;
      const { object } = ious.find((candidate) => candidate.iou === top)!;
      if (object.isDifficult) return undefined;
      if (found.has(object.id)) return 0;
      found.add(object.id);
      return 1;
    });
    const points = verdicts.map((_, last) => {
      const counted = verdicts.slice(0, last + 1).filter((verdict) => verdict !== undefined);
      const right = counted.filter((verdict) => verdict === 1).length;
      return { recall: right / wanted.length, precision: counted.length === 0 ? 0 : right / counted.length };
    });
    return metric === "voc07" ? eleven(points) : area(points);
  });
}

interface Point {
  readonly recall: number;
  readonly precision: number;
}

function precisionFrom(points: readonly Point[], recall: number): number {
  return Math.max(0, ...points.filter((point) => point.recall >= recall).map((point) => point.precision));
}

function eleven(points: readonly Point[]): number {
  const recalls = Array.from({ length: 11 }, (_, i) => i * 0.1);
  return recalls.reduce((sum, recall) => sum + precisionFrom(points, recall), 0) / 11;
}

/** A rectangle for each recall that is reached: as wide as the step to it, as high as the best precision from there. */
function area(points: readonly Point[]): number {
  const recalls = [...new Set([0, ...points.map((point) => point.recall)])].toSorted((a, b) => a - b);
  return recalls.slice(1).reduce((sum, recall, i) => sum + (recall - recalls[i]!) * precisionFrom(points, recall), 0);
}

/** Counting pixels: in a box of whole pixels, VOC's + 1 is what makes it contain its last. */
function iou([ax, ay, aw, ah]: readonly number[], [bx, by, bw, bh]: readonly number[]): number {
  const last = (start: number, size: number) => start + size - 1;
  const shared = (a: number, asize: number, b: number, bsize: number) =>
    Math.max(0, Math.min(last(a, asize), last(b, bsize)) - Math.max(a, b) + 1);
  const common = shared(ax!, aw!, bx!, bw!) * shared(ay!, ah!, by!, bh!);
  return common / (aw! * ah! + bw! * bh! - common);
}
