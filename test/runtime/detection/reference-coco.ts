/**
 * COCO's evaluation once more, written from its rules and as slowly as they read: every number of every class is found
 * by itself, precision at a recall as the greatest at that recall or beyond.
 */
import type { Detection, GroundTruth, Annotations } from "../../../runtime/data/objects.js";

type Data = Pick<Annotations, "images" | "categories" | "objects">;

const AREAS = { all: [0, 1e10], small: [0, 32 * 32], medium: [32 * 32, 96 * 96], large: [96 * 96, 1e10] } as const;
const THRESHOLDS = [0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.8999999999999999, 0.95];

interface Verdict {
  readonly score: number;
  readonly isRight: boolean;
}

export function referenceCoco(data: Data, detections: readonly Detection[]): Record<string, number> {
  const known = new Map<string, ReturnType<typeof examine>>();
  const examined = (category: number, area: keyof typeof AREAS, threshold: number, limit: number) => {
    const key = `${category} ${area} ${threshold} ${limit}`;
    const verdict = known.get(key) ?? examine(data, detections, category, AREAS[area], threshold, limit);
    known.set(key, verdict);
    return verdict;
  };
  const precision = (area: keyof typeof AREAS, thresholds: readonly number[]) =>
    averageOverClasses(data, (category) => {
      const values = thresholds.map((threshold) => {
        const { verdicts, wanted } = examined(category, area, threshold, 100);
        return wanted === 0 ? undefined : interpolated(verdicts, wanted);
      });
      return values.includes(undefined) ? undefined : average(values as number[]);
    });
  const recall = (area: keyof typeof AREAS, limit: number) =>
    averageOverClasses(data, (category) => {
      const values = THRESHOLDS.map((threshold) => {
        const { verdicts, wanted } = examined(category, area, threshold, limit);
        return wanted === 0 ? undefined : verdicts.filter((verdict) => verdict.isRight).length / wanted;
      });
      return values.includes(undefined) ? undefined : average(values as number[]);
    });
  return {
    AP: precision("all", THRESHOLDS),
    AP50: precision("all", [0.5]),
    AP75: precision("all", [0.75]),
    APs: precision("small", THRESHOLDS),
    APm: precision("medium", THRESHOLDS),
    APl: precision("large", THRESHOLDS),
    AR1: recall("all", 1),
    AR10: recall("all", 10),
    AR100: recall("all", 100),
    ARs: recall("small", 100),
    ARm: recall("medium", 100),
    ARl: recall("large", 100),
  };
}

function averageOverClasses(data: Data, of: (category: number) => number | undefined): number {
  const values = data.categories.map(({ id }) => of(id)).filter((value) => value !== undefined);
  return values.length === 0 ? -1 : average(values);
}

/** What the detections of a class are worth in an area range; those that don't count are left out. */
function examine(
  data: Data,
  detections: readonly Detection[],
  category: number,
  [low, high]: readonly [number, number],
  threshold: number,
  limit: number,
): { readonly verdicts: Verdict[]; readonly wanted: number } {
  let verdicts: Verdict[] = [];
  let wanted = 0;
  for (const image of data.images.map((image) => image.id).toSorted((a, b) => a - b)) {
    const isHere = (x: { image: number; category: number }) => x.image === image && x.category === category;
    const here = data.objects.filter(isHere);
    const doesCount = (object: GroundTruth) => !object.isCrowd && object.area >= low && object.area <= high;
    wanted += here.filter(doesCount).length;

    const free = new Set(here);
    const surest = detections
      .filter(isHere)
      .toSorted((a, b) => b.score - a.score)
      .slice(0, 100);
    for (const [rank, detection] of surest.entries()) {
      const reached = [...free]
        .map((object) => ({ object, iou: iou(detection, object) }))
        .filter((candidate) => candidate.iou >= Math.min(threshold, 1 - 1e-10));
      const counting = reached.filter(({ object }) => doesCount(object));
      const pool = counting.length > 0 ? counting : reached;
      const top = Math.max(...pool.map((candidate) => candidate.iou));
      const chosen = pool.findLast((candidate) => candidate.iou === top)?.object;
      if (chosen !== undefined && !chosen.isCrowd) free.delete(chosen);
      if (rank >= limit) continue;
      if (chosen !== undefined && !doesCount(chosen)) continue;
      const isRight = chosen !== undefined && chosen.id !== 0;
      const size = detection.box[2] * detection.box[3];
      if (!isRight && (size < low || size > high)) continue;
      verdicts.push({ score: detection.score, isRight });
    }
  }
  verdicts = verdicts.toSorted((a, b) => b.score - a.score);
  return { verdicts, wanted };
}

function iou({ box: [ax, ay, aw, ah] }: Detection, { box: [bx, by, bw, bh], isCrowd }: GroundTruth): number {
  const w = Math.min(ax + aw, bx + bw) - Math.max(ax, bx);
  const h = Math.min(ay + ah, by + bh) - Math.max(ay, by);
  if (w <= 0 || h <= 0) return 0;
  return isCrowd ? (w * h) / (aw * ah) : (w * h) / (aw * ah + bw * bh - w * h);
}

/** Mean, over the recalls 0, 0.01, ... 1, of the greatest precision at that recall or beyond. */
function interpolated(verdicts: readonly Verdict[], wanted: number): number {
  const points = verdicts.map((_, last) => {
    const right = verdicts.slice(0, last + 1).filter((verdict) => verdict.isRight).length;
    return { recall: right / wanted, precision: right / (last + 1) };
  });
  const recalls = Array.from({ length: 101 }, (_, i) => i * 0.01);
  return average(
    recalls.map((recall) => Math.max(0, ...points.filter((p) => p.recall >= recall).map((p) => p.precision))),
  );
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
