/** COCO's evaluation of boxes and of masks: the twelve numbers, as pycocotools computes them, with the same roundings. */
import { DataError } from "../../data-error.js";
import type { Category, Detection } from "../../data/objects.js";
import { countWanted, match, measure, OUTCOME, type AreaRange, type IouType } from "./coco-match.js";
import { otherSizes } from "./mask-sizes.js";
import { mapCategories, type Annotated, type Scene } from "./group.js";

/** 0.5, 0.55, ... 0.95; each the number that numpy's linspace gives. */
export const IOU_THRESHOLDS: readonly number[] = steps(0.5, 0.95, 10);
/** 0, 0.01, ... 1: where precision is read off. */
export const RECALLS: readonly number[] = steps(0, 1, 101);
/** Detections that are looked at in an image, of each category; 1 and 10 for AR1 and AR10. */
const MOST = 100;

/** In square pixels, both ends inclusive: an object of 1024 is small and medium. */
export const AREA_RANGES = {
  all: [0, 1e10],
  small: [0, 1024],
  medium: [1024, 9216],
  large: [9216, 1e10],
} as const satisfies Record<string, AreaRange>;
type Area = keyof typeof AREA_RANGES;

/**
 * Average precision (AP) and average recall (AR), 0 to 1; -1 where there is no object to find. AP and all ARs are means
 * over the thresholds 0.5 to 0.95; AR1 and AR10 look at the 1 and 10 highest-scoring detections of each image and category,
 * everything else at 100; s, m and l are of small, medium and large objects.
 */
export interface CocoNumbers {
  readonly AP: number;
  readonly AP50: number;
  readonly AP75: number;
  readonly APs: number;
  readonly APm: number;
  readonly APl: number;
  readonly AR1: number;
  readonly AR10: number;
  readonly AR100: number;
  readonly ARs: number;
  readonly ARm: number;
  readonly ARl: number;
}

/** COCO's numbers of one category. */
export interface CocoClass {
  readonly category: Category;
  /** To be found, of any size; crowds are not counted. */
  readonly objects: number;
  readonly numbers: CocoNumbers;
  /** At each of {@link IOU_THRESHOLDS}, precision at each of {@link RECALLS}; nothing where there is no object. */
  readonly precision: readonly Float64Array[];
}

/** COCO's numbers of all categories together and of each. */
export interface CocoEvaluation {
  /** Means over the classes that have a number, in which the classes weigh the same. */
  readonly summary: CocoNumbers;
  /** By ascending category id. */
  readonly classes: readonly CocoClass[];
  /** Of masks: one line for each image in which those of detections have another size than the annotated ones. */
  readonly warnings: readonly string[];
}

/**
 * Judges detections. Where scores are equal, the order is that of the image's id, and in an image that of the list.
 * Detections of images and categories that are not listed are left out.
 *
 * @param iouType what is compared. Of detections, masks have an area of their own; of objects it is the annotated one.
 * @throws {DataError} one line: masks are to be compared, and not all have one
 */
export function evaluateCoco(
  data: Annotated,
  detections: readonly Detection[],
  iouType: IouType = "boxes",
): CocoEvaluation {
  const problem = iouType === "masks" ? withoutMasks(data, detections) : undefined;
  if (problem !== undefined) throw new DataError(problem);
  const classes = mapCategories(data, detections, (category, scenes) => evaluateClass(category, scenes, iouType));
  const warnings = iouType === "masks" ? otherSizes(data, detections) : [];
  return { summary: meanOf(classes.map(({ numbers }) => numbers)), classes, warnings };
}

/** Why masks can't be judged, in one line; undefined where all have one. */
export function withoutMasks({ objects }: Annotated, detections: readonly Detection[]): string | undefined {
  const lacking = [
    { what: "annotations", all: objects },
    { what: "detections", all: detections },
  ].flatMap(({ what, all }) => {
    const count = all.filter(({ mask }) => mask === undefined).length;
    return count === 0 ? [] : [`${count} of ${all.length} ${what} have none`];
  });
  return lacking.length === 0 ? undefined : `masks can't be judged: ${lacking.join(", ")}`;
}

const ABSENT: CocoNumbers = {
  AP: -1,
  AP50: -1,
  AP75: -1,
  APs: -1,
  APm: -1,
  APl: -1,
  AR1: -1,
  AR10: -1,
  AR100: -1,
  ARs: -1,
  ARm: -1,
  ARl: -1,
};

function meanOf(all: readonly CocoNumbers[]): CocoNumbers {
  const means = Object.keys(ABSENT).map((key) => {
    const values = all.map((numbers) => numbers[key as keyof CocoNumbers]).filter((value) => value > -1);
    return [key, values.length === 0 ? -1 : mean(values)] as const;
  });
  return Object.fromEntries(means) as unknown as CocoNumbers;
}

function evaluateClass(category: Category, scenes: readonly Scene[], iouType: IouType): CocoClass {
  const judged = judge(scenes, iouType);
  const of = (area: Area, limit: number) => accumulate(judged, area, limit);
  const all = of("all", MOST);
  const [small, medium, large] = [of("small", MOST), of("medium", MOST), of("large", MOST)];
  const at = (threshold: number) => all?.precision[IOU_THRESHOLDS.indexOf(threshold)];
  const precision = (curves: Curves | undefined) => (curves ? mean(curves.precision.map(mean)) : -1);
  const recall = (curves: Curves | undefined) => (curves ? mean(curves.recall) : -1);
  return {
    category,
    objects: judged.wanted.all,
    numbers: {
      AP: precision(all),
      AP50: all ? mean(at(0.5)!) : -1,
      AP75: all ? mean(at(0.75)!) : -1,
      APs: precision(small),
      APm: precision(medium),
      APl: precision(large),
      AR1: recall(of("all", 1)),
      AR10: recall(of("all", 10)),
      AR100: recall(all),
      ARs: recall(small),
      ARm: recall(medium),
      ARl: recall(large),
    },
    precision: all?.precision ?? [],
  };
}

/** The detections of a category in all images, by descending score. */
interface RankedDetections {
  /** Which of its image's detections each is, from 0: the highest-scoring. */
  readonly ranks: Uint8Array;
  /** What each counts as, by area range: [detections in the order of the images, thresholds]. */
  readonly outcomes: Readonly<Record<Area, Uint8Array>>;
  /** Places in that order, by descending score. */
  readonly order: Uint32Array;
  readonly wanted: Readonly<Record<Area, number>>;
}

const AREAS = Object.keys(AREA_RANGES) as Area[];

function judge(scenes: readonly Scene[], iouType: IouType): RankedDetections {
  const chosen = scenes.map((scene) =>
    scene.detections.length > MOST ? { ...scene, detections: scene.detections.slice(0, MOST) } : scene,
  );
  const total = chosen.reduce((sum, { detections }) => sum + detections.length, 0);
  const scores = new Float64Array(total);
  const ranks = new Uint8Array(total);
  const byArea = <T>(value: () => T) => Object.fromEntries(AREAS.map((area) => [area, value()])) as Record<Area, T>;
  const outcomes = byArea(() => new Uint8Array(total * IOU_THRESHOLDS.length));
  const wanted = byArea(() => 0);
  let start = 0;
  for (const { objects, detections } of chosen) {
    const encounter = { objects, ...measure(detections, objects, iouType) };
    for (const area of AREAS) {
      const range = AREA_RANGES[area];
      wanted[area] += countWanted(objects, range);
      match({ ...encounter, range }, IOU_THRESHOLDS, outcomes[area], start);
    }
    detections.forEach(({ score }, rank) => {
      scores[start + rank] = score;
      ranks[start + rank] = rank;
    });
    start += detections.length;
  }
  const order = Uint32Array.from(scores, (_, index) => index).sort((a, b) => scores[b]! - scores[a]! || a - b);
  return { ranks, outcomes, order, wanted };
}

/** At each threshold: precision at each of the recalls, and the greatest recall. */
interface Curves {
  readonly precision: readonly Float64Array[];
  readonly recall: readonly number[];
}

/** Undefined where there is no object to find. */
function accumulate(
  { ranks, outcomes, order, wanted }: RankedDetections,
  area: Area,
  limit: number,
): Curves | undefined {
  const objects = wanted[area];
  if (objects === 0) return undefined;
  const places = order.filter((place) => ranks[place]! < limit);
  const recall = new Float64Array(places.length);
  const precision = new Float64Array(places.length);
  const own = outcomes[area];
  const curves = IOU_THRESHOLDS.map((_, t) => {
    let [right, wrong] = [0, 0];
    places.forEach((place, index) => {
      const outcome = own[place * IOU_THRESHOLDS.length + t];
      if (outcome === OUTCOME.right) right++;
      else if (outcome === OUTCOME.wrong) wrong++;
      recall[index] = right / objects;
      precision[index] = right / (wrong + right + Number.EPSILON);
    });
    for (let i = precision.length - 1; i > 0; i--) precision[i - 1] = Math.max(precision[i - 1]!, precision[i]!);
    return { precision: readOff(recall, precision), recall: recall.at(-1) ?? 0 };
  });
  return { precision: curves.map((curve) => curve.precision), recall: curves.map((curve) => curve.recall) };
}

/** Precision where the recall is first reached; 0 where it never is. */
function readOff(recall: Float64Array, precision: Float64Array): Float64Array {
  let at = 0;
  return Float64Array.from(RECALLS, (least) => {
    while (at < recall.length && recall[at]! < least) at++;
    return precision[at] ?? 0;
  });
}

function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum / values.length;
}

/** numpy's linspace, bit for bit. */
function steps(first: number, last: number, count: number): number[] {
  const step = (last - first) / (count - 1);
  return Array.from({ length: count }, (_, i) => (i === count - 1 ? last : i * step + first));
}
