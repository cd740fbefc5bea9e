/** PASCAL VOC's evaluation of boxes, as voc_eval.py of Faster R-CNN (py-faster-rcnn, Detectron2) computes it. */
import type { Box, Category, Detection, GroundTruth } from "../../data/objects.js";
import { mapCategories, type Annotated, type Scene } from "./group.js";

/** Mean of the precision at 11 recalls (until 2009), or the area below the curve (since 2010). */
export type VocMetric = "voc07" | "voc10";

/** Which of VOC's rules are followed. */
export interface EvaluateVocOptions {
  readonly metric: VocMetric;
  /** A detection must overlap with an object by more than this. Default 0.5. */
  readonly threshold?: number;
}

/** Average precision of one category, and its curve. */
export interface VocClass {
  readonly category: Category;
  /** To be found: those that are not difficult. */
  readonly objects: number;
  /** Average precision, 0 to 1; -1 where there is no object to find. */
  readonly AP: number;
  /** After each detection, by descending score. Recall is 0 where there is no object to find. */
  readonly recall: Float64Array;
  readonly precision: Float64Array;
}

/** Average precision over all categories and of each. */
export interface VocEvaluation {
  /** Mean of the classes that have an AP; -1 where none has. */
  readonly mAP: number;
  /** By ascending category id. */
  readonly classes: readonly VocClass[];
}

/**
 * Judges detections. Where scores are equal, the order is that of the image's id, and in an image that of the list.
 * Crowds, which VOC doesn't know, are treated as difficult objects.
 */
export function evaluateVoc(
  data: Annotated,
  detections: readonly Detection[],
  options: EvaluateVocOptions,
): VocEvaluation {
  const { metric, threshold = 0.5 } = options;
  const classes = mapCategories(data, detections, (category, scenes): VocClass => {
    const { objects, recall, precision } = judge(scenes, threshold);
    const AP = objects === 0 ? -1 : AVERAGE_PRECISION[metric](recall, precision);
    return { category, objects, AP, recall, precision };
  });
  const found = classes.map(({ AP }) => AP).filter((value) => value > -1);
  return { mAP: found.length === 0 ? -1 : found.reduce((sum, value) => sum + value, 0) / found.length, classes };
}

function judge(scenes: readonly Scene[], threshold: number): Pick<VocClass, "objects" | "recall" | "precision"> {
  const taken = new Set<GroundTruth>();
  const objects = scenes.reduce((sum, scene) => sum + scene.objects.filter((object) => !isSpared(object)).length, 0);
  const all = scenes.flatMap((scene) => scene.detections.map((detection) => ({ detection, scene })));
  all.sort((a, b) => b.detection.score - a.detection.score);
  const recall = new Float64Array(all.length);
  const precision = new Float64Array(all.length);
  let [right, wrong] = [0, 0];
  all.forEach(({ detection, scene }, index) => {
    const object = nearest(detection.box, scene.objects, threshold);
    if (object === undefined) wrong++;
    else if (!isSpared(object)) {
      // The nearest object counts even where it is taken and another would do.
      if (taken.has(object)) wrong++;
      else right++;
      taken.add(object);
    }
    recall[index] = objects === 0 ? 0 : right / objects;
    precision[index] = right / Math.max(right + wrong, Number.EPSILON);
  });
  return { objects, recall, precision };
}

function isSpared(object: GroundTruth): boolean {
  return object.isDifficult || object.isCrowd;
}

/** The object that the box overlaps with most, the first of equals, if by more than the threshold. */
function nearest(box: Box, objects: readonly GroundTruth[], threshold: number): GroundTruth | undefined {
  let found: GroundTruth | undefined;
  let greatest = -Infinity;
  for (const object of objects) {
    const value = overlap(corners(box), corners(object.box));
    if (value > greatest) [found, greatest] = [object, value];
  }
  return greatest > threshold ? found : undefined;
}

type Corners = readonly [x1: number, y1: number, x2: number, y2: number];

/** Numbers of the first and the last pixel, from 1, as VOC's files have them. */
function corners([x, y, width, height]: Box): Corners {
  return [x + 1, y + 1, x + width, y + height];
}

/** Intersection over union of boxes that contain their last pixels. */
function overlap(a: Corners, b: Corners): number {
  const width = Math.max(Math.min(a[2], b[2]) - Math.max(a[0], b[0]) + 1, 0);
  const height = Math.max(Math.min(a[3], b[3]) - Math.max(a[1], b[1]) + 1, 0);
  const common = width * height;
  return common / (area(a) + area(b) - common);
}

function area([x1, y1, x2, y2]: Corners): number {
  return (x2 - x1 + 1) * (y2 - y1 + 1);
}

type AveragePrecision = (recall: Float64Array, precision: Float64Array) => number;

const AVERAGE_PRECISION: Readonly<Record<VocMetric, AveragePrecision>> = {
  voc07(recall, precision) {
    let sum = 0;
    for (let step = 0; step <= 10; step++) {
      // numpy's arange: the fourth is 0.30000000000000004, which a recall of 3/10 doesn't reach.
      const least = step * 0.1;
      let greatest = 0;
      recall.forEach((value, i) => {
        if (value >= least) greatest = Math.max(greatest, precision[i]!);
      });
      sum += greatest;
    }
    // Divided once: eleven elevenths would add up to more than 1.
    return sum / 11;
  },
  voc10(recall, precision) {
    const envelope = precision.slice();
    for (let i = envelope.length - 1; i > 0; i--) envelope[i - 1] = Math.max(envelope[i - 1]!, envelope[i]!);
    let sum = 0;
    let before = 0;
    recall.forEach((value, i) => {
      sum += (value - before) * envelope[i]!;
      before = value;
    });
    return sum;
  },
};
