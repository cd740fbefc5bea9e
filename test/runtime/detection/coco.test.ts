import fc from "fast-check";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { evaluateCoco, IOU_THRESHOLDS, RECALLS, type CocoNumbers } from "../../../runtime/detection/evaluate/coco.js";
import type { Box, Detection, Annotations, GroundTruth } from "../../../runtime/data/objects.js";
import { randomCase } from "./random-data.js";
import { referenceCoco } from "./reference-coco.js";

const NAMES = ["AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl"] as const;

function difference(numbers: CocoNumbers, expected: Readonly<Record<string, number>>): number {
  return Math.max(...NAMES.map((name) => Math.abs(numbers[name] - expected[name]!)));
}

test("agrees with a reference on random images: crowds, equal scores, boundary sizes, empty classes, id 0", () => {
  let numbersSeen = 0;
  const seen = { crowd: 0, ties: 0, boundary: 0, empty: 0, zero: 0, between: 0 };
  fc.assert(
    fc.property(randomCase({ mayHaveZero: true }), ({ data, detections }) => {
      const { summary } = evaluateCoco(data, detections);
      expect(difference(summary, referenceCoco(data, detections))).toBeLessThan(1e-10);
      numbersSeen++;
      const scores = detections.map((detection) => `${detection.category} ${detection.score}`);
      if (data.objects.some((object) => object.isCrowd)) seen.crowd++;
      if (new Set(scores).size < scores.length) seen.ties++;
      if (data.objects.some((object) => object.area === 1024 || object.area === 9216)) seen.boundary++;
      if (data.categories.some(({ id }) => !data.objects.some((object) => object.category === id))) seen.empty++;
      if (data.objects.some((object) => object.id === 0)) seen.zero++;
      if (summary.AP > 0 && summary.AP < 1) seen.between++;
    }),
    { numRuns: 3000, seed: 1 },
  );
  expect(numbersSeen).toBe(3000);
  for (const count of Object.values(seen)) expect(count).toBeGreaterThan(300);
});

interface Golden {
  readonly images: number[];
  readonly categories: number[];
  /** id, image, category, x, y, width, height, area, crowd */
  readonly objects: number[][];
  /** image, category, score, x, y, width, height */
  readonly detections: number[][];
  readonly stats: number[];
  readonly classes: Record<string, number[]>;
}

const golden = JSON.parse(
  readFileSync(new URL("../../golden/detection/coco.json", import.meta.url), "utf8"),
) as Golden[];

test.each(golden.map((example, index) => [index, example] as const))(
  "agrees with pycocotools, case %d",
  (_, example) => {
    const data: Annotations = {
      images: example.images.map((id) => ({ id, file: `${id}.png` })),
      categories: example.categories.map((id) => ({ id, name: `class ${id}` })),
      objects: example.objects.map(([id, image, category, x, y, w, h, area, crowd]) => ({
        id: id!,
        image: image!,
        category: category!,
        box: [x!, y!, w!, h!],
        area: area!,
        isCrowd: crowd === 1,
        isDifficult: false,
      })),
      warnings: [],
    };
    const detections = example.detections.map(([image, category, score, x, y, w, h]): Detection => ({
      image: image!,
      category: category!,
      score: score!,
      box: [x!, y!, w!, h!],
    }));
    const { summary, classes } = evaluateCoco(data, detections);
    const expected = (stats: readonly number[]) => Object.fromEntries(NAMES.map((name, i) => [name, stats[i]!]));
    expect(difference(summary, expected(example.stats))).toBeLessThan(1e-10);
    for (const { category, numbers } of classes) {
      expect(difference(numbers, expected(example.classes[category.id]!))).toBeLessThan(1e-10);
    }
  },
);

test("the golden cases are worth something", () => {
  expect(golden.length).toBeGreaterThanOrEqual(40);
  expect(golden.filter(({ stats }) => stats[0]! > 0.05 && stats[0]! < 0.95).length).toBeGreaterThan(25);
  expect(golden.some(({ objects }) => objects.some(([id]) => id === 0))).toBe(true);
  expect(golden.some(({ detections }) => detections.length > 500)).toBe(true);
});

function data(...objects: (Partial<GroundTruth> & { box: Box })[]): Annotations {
  return {
    images: [
      { id: 1, file: "1.png" },
      { id: 2, file: "2.png" },
    ],
    categories: [{ id: 1, name: "cat" }],
    objects: objects.map((object, index) => ({
      id: index + 1,
      image: 1,
      category: 1,
      area: object.box[2] * object.box[3],
      isCrowd: false,
      isDifficult: false,
      ...object,
    })),
    warnings: [],
  };
}

function found(score: number, box: Box, image = 1): Detection {
  return { image, category: 1, score, box };
}

/** pycocotools adds 2.2e-16 to what it divides by. */
const ONE = expect.closeTo(1, 12) as number;
const HALF = expect.closeTo(0.5, 12) as number;
const BOX: Box = [10, 10, 40, 40];
const ASIDE: Box = [200, 200, 40, 40];

test("by hand: everything found", () => {
  const { summary, classes } = evaluateCoco(data({ box: BOX }), [found(0.5, BOX)]);
  expect(summary).toMatchObject({ AP: ONE, AP50: ONE, AP75: ONE, APs: -1, APm: ONE, APl: -1, AR1: 1, ARs: -1, ARm: 1 });
  expect(classes[0]!.objects).toBe(1);
  expect(classes[0]!.precision).toHaveLength(IOU_THRESHOLDS.length);
  expect([...classes[0]!.precision[0]!]).toEqual(RECALLS.map(() => ONE));
});

test("by hand: a wrong one before, one of two found", () => {
  // Recall 1/2 with precision 1/2: 51 of the 101 recalls have 1/2.
  const { summary } = evaluateCoco(data({ box: BOX }, { box: BOX, image: 2 }), [found(0.9, ASIDE), found(0.8, BOX)]);
  expect(summary.AP).toBeCloseTo((51 * 0.5) / 101, 12);
  expect(summary.AR1).toBe(0);
  expect(summary.AR10).toBe(0.5);
});

test("by hand: an overlap of 0.6 passes three of ten thresholds", () => {
  // 40 x 24 in 40 x 40 is 0.6; it is compared with 0.6 and passes.
  const { summary } = evaluateCoco(data({ box: BOX }), [found(0.5, [10, 10, 40, 24])]);
  expect(summary.AP).toBeCloseTo(0.3, 12);
  expect(summary.AP50).toBeCloseTo(1, 12);
  expect(summary.AP75).toBe(0);
});

test("by hand: a crowd takes many, and they don't count", () => {
  const crowd = { box: [100, 100, 100, 100] as Box, isCrowd: true };
  const inside = [found(0.9, [110, 110, 20, 20]), found(0.8, [150, 150, 20, 20])];
  const { summary } = evaluateCoco(data({ box: BOX }, crowd), [...inside, found(0.5, BOX)]);
  expect(summary.AP).toBeCloseTo(1, 12);
  // Without the crowd, both are wrong, and they come first.
  expect(evaluateCoco(data({ box: BOX }), [...inside, found(0.5, BOX)]).summary.AP).toBeCloseTo(1 / 3, 12);
});

test("by hand: found twice", () => {
  const { summary } = evaluateCoco(data({ box: BOX }, { box: ASIDE }), [
    found(0.9, BOX),
    found(0.8, BOX),
    found(0.7, ASIDE),
  ]);
  // Recalls up to 0.5 with precision 1, the other fifty with 2/3.
  expect(summary.AP).toBeCloseTo((51 + 50 * (2 / 3)) / 101, 12);
});

test("by hand: the area of the annotation decides about objects, the box about detections", () => {
  const outlined = data({ box: [0, 0, 40, 40], area: 1000 });
  const { summary } = evaluateCoco(outlined, [found(0.5, [0, 0, 40, 40])]);
  expect(summary).toMatchObject({ AP: ONE, APs: ONE, APm: -1 });
  // Of 1024: small and medium. The second detection is wrong among the large ones alone, where nothing is to be found.
  const boundary = data({ box: [0, 0, 32, 32] });
  const numbers = evaluateCoco(boundary, [found(0.9, [200, 200, 100, 100]), found(0.5, [0, 0, 32, 32])]).summary;
  expect(numbers).toMatchObject({ AP: HALF, APs: ONE, APm: ONE, APl: -1 });
});

test("the hundred surest of each image and category are looked at", () => {
  const wrong = Array.from({ length: 100 }, () => found(0.5, ASIDE));
  expect(evaluateCoco(data({ box: BOX }), [...wrong, found(0.4, BOX)]).summary.AR100).toBe(0);
  expect(evaluateCoco(data({ box: BOX }), [...wrong, found(0.6, BOX)]).summary.AR100).toBe(1);
});

test("nothing at all", () => {
  const empty = evaluateCoco({ images: [], categories: [], objects: [] }, []);
  expect(Object.values(empty.summary)).toEqual(Array(12).fill(-1));
  const { summary } = evaluateCoco(data({ box: BOX }), []);
  expect(summary).toMatchObject({ AP: 0, AR100: 0, APl: -1 });
});

test("the size of val2017 takes seconds", () => {
  let state = 1;
  const random = (limit: number) => (state = (state * 48271) % 2147483647) % limit;
  const box = (): Box => [random(400), random(300), 1 + random(200), 1 + random(150)];
  const images = Array.from({ length: 5000 }, (_, id) => id + 1);
  const large: Annotations = {
    images: images.map((id) => ({ id, file: "" })),
    categories: Array.from({ length: 80 }, (_, id) => ({ id: id + 1, name: "" })),
    objects: Array.from({ length: 36_000 }, (_, id) => {
      const at = box();
      const [image, category] = [1 + random(5000), 1 + random(80)];
      return { id: id + 1, image, category, box: at, area: at[2] * at[3], isCrowd: false, isDifficult: false };
    }),
    warnings: [],
  };
  const byImage = new Map(images.map((image): [number, GroundTruth[]] => [image, []]));
  for (const object of large.objects) byImage.get(object.image)!.push(object);
  const detections = images.flatMap((image) =>
    Array.from({ length: 100 }, (_, i): Detection => {
      const object = byImage.get(image)![i];
      const score = random(1000) / 1000;
      return object ? { ...object, score } : { image, category: 1 + random(80), box: box(), score };
    }),
  );
  // The processor's time: the machine may be busy with other things.
  const before = process.cpuUsage();
  const { summary } = evaluateCoco(large, detections);
  const { user } = process.cpuUsage(before);
  expect(user / 1e6).toBeLessThan(20);
  expect(summary.AR100).toBeGreaterThan(0);
});
