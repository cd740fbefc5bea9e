import fc from "fast-check";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { evaluateVoc, type VocMetric } from "../../../runtime/detection/evaluate/voc.js";
import { fromInclusiveCorners, type Box, type Detection, type Annotations } from "../../../runtime/data/objects.js";
import { randomCase } from "./random-data.js";
import { referenceVoc } from "./reference-voc.js";

const METRICS: readonly VocMetric[] = ["voc07", "voc10"];

test.each(METRICS)("%s agrees with a reference on random images: difficult objects, equal scores", (metric) => {
  const seen = { difficult: 0, ties: 0, empty: 0, between: 0 };
  fc.assert(
    fc.property(randomCase({ isVoc: true }), ({ data, detections }) => {
      const { classes, mAP } = evaluateVoc(data, detections, { metric });
      const expected = referenceVoc(data, detections, metric);
      data.categories.forEach(({ id }, index) => {
        const { AP } = classes.find(({ category }) => category.id === id)!;
        expect(Math.abs(AP - (expected[index] ?? -1))).toBeLessThan(1e-10);
      });
      const present = expected.filter((value) => value !== undefined);
      const mean = present.length === 0 ? -1 : present.reduce((sum, value) => sum + value, 0) / present.length;
      expect(Math.abs(mAP - mean)).toBeLessThan(1e-10);
      const scores = detections.map((detection) => `${detection.category} ${detection.score}`);
      if (data.objects.some((object) => object.isDifficult)) seen.difficult++;
      if (new Set(scores).size < scores.length) seen.ties++;
      if (present.length < expected.length) seen.empty++;
      if (mAP > 0 && mAP < 1) seen.between++;
    }),
    { numRuns: 3000, seed: 2 },
  );
  for (const count of Object.values(seen)) expect(count).toBeGreaterThan(300);
});

interface Golden {
  /** image, x1, y1, x2, y2, difficult; corners from 1 and inclusive */
  readonly objects: number[][];
  /** image, score, x1, y1, x2, y2 */
  readonly detections: number[][];
  readonly voc07: number;
  readonly voc10: number;
}

const golden = JSON.parse(
  readFileSync(new URL("../../golden/detection/voc.json", import.meta.url), "utf8"),
) as Golden[];

test.each(golden.map((example, index) => [index, example] as const))(
  "agrees with voc_eval.py, case %d",
  (_, example) => {
    const corners = ([x1, y1, x2, y2]: number[]): Box => fromInclusiveCorners(x1!, y1!, x2!, y2!, 1);
    const data = oneClass(
      example.objects.map(([image, ...rest]) => ({
        image: image!,
        box: corners(rest.slice(0, 4)),
        isDifficult: rest[4] === 1,
      })),
    );
    const detections = example.detections.map(([image, score, ...rest]): Detection => ({
      image: image!,
      category: 1,
      score: score!,
      box: corners(rest),
    }));
    for (const metric of METRICS) {
      expect(Math.abs(evaluateVoc(data, detections, { metric }).mAP - example[metric])).toBeLessThan(1e-10);
    }
  },
);

function oneClass(objects: { image: number; box: Box; isDifficult?: boolean }[]): Annotations {
  return {
    images: Array.from({ length: 9 }, (_, id) => ({ id: id + 1, file: `${id + 1}.jpg` })),
    categories: [{ id: 1, name: "cat" }],
    objects: objects.map(({ isDifficult = false, ...rest }, index) => ({
      ...rest,
      id: index + 1,
      category: 1,
      area: rest.box[2] * rest.box[3],
      isCrowd: false,
      isDifficult,
    })),
    warnings: [],
  };
}

const BOX: Box = [0, 0, 10, 10];
const found = (image: number, score: number, box: Box = BOX): Detection => ({ image, category: 1, score, box });

describe("by hand", () => {
  test("right, wrong, right of two", () => {
    const data = oneClass([
      { image: 1, box: BOX },
      { image: 2, box: BOX },
    ]);
    const detections = [found(1, 0.9), found(3, 0.8), found(2, 0.7)];
    // Recall 1/2 with precision 1, recall 1 with 2/3: six of the eleven recalls are up to 1/2.
    expect(evaluateVoc(data, detections, { metric: "voc07" }).mAP).toBeCloseTo((6 + 5 * (2 / 3)) / 11, 12);
    expect(evaluateVoc(data, detections, { metric: "voc10" }).mAP).toBeCloseTo(0.5 + 0.5 * (2 / 3), 12);
  });

  test("three of ten don't reach the fourth of the eleven recalls, which is a hair above 0.3", () => {
    const boxes = Array.from({ length: 10 }, (_, i): Box => [20 * i, 0, 10, 10]);
    const data = oneClass(boxes.map((box) => ({ image: 1, box })));
    const detections = boxes.slice(0, 3).map((box) => found(1, 0.5, box));
    expect(evaluateVoc(data, detections, { metric: "voc07" }).mAP).toBeCloseTo(3 / 11, 12);
    expect(evaluateVoc(data, detections, { metric: "voc10" }).mAP).toBeCloseTo(0.3, 12);
  });

  test("half of the object is not enough: more than the threshold is asked for", () => {
    const data = oneClass([{ image: 1, box: BOX }]);
    expect(evaluateVoc(data, [found(1, 1, [0, 0, 5, 10])], { metric: "voc10" }).mAP).toBe(0);
    expect(evaluateVoc(data, [found(1, 1, [0, 0, 6, 10])], { metric: "voc10" }).mAP).toBe(1);
  });

  test("a difficult object is neither asked for nor counted against", () => {
    const data = oneClass([
      { image: 1, box: BOX, isDifficult: true },
      { image: 2, box: BOX },
    ]);
    const { classes, mAP } = evaluateVoc(data, [found(1, 0.9), found(1, 0.8), found(2, 0.7)], { metric: "voc10" });
    expect(mAP).toBe(1);
    expect(classes[0]!.objects).toBe(1);
  });

  test("the nearest object counts even where it is taken and another would do", () => {
    const data = oneClass([
      { image: 1, box: BOX },
      { image: 1, box: [2, 0, 10, 10] },
    ]);
    const detections = [found(1, 0.9), found(1, 0.8)];
    expect(evaluateVoc(data, detections, { metric: "voc10" }).classes[0]!.recall.at(-1)).toBe(0.5);
  });

  test("a class without objects has no average precision", () => {
    const data = { ...oneClass([{ image: 1, box: BOX }]), categories: [1, 2].map((id) => ({ id, name: "" })) };
    const { classes, mAP } = evaluateVoc(data, [found(1, 0.9), { ...found(1, 0.9), category: 2 }], { metric: "voc07" });
    expect(classes.map(({ AP }) => AP)).toEqual([expect.closeTo(1, 12), -1]);
    expect(mAP).toBeCloseTo(1, 12);
    expect(evaluateVoc(oneClass([]), [], { metric: "voc07" }).mAP).toBe(-1);
  });
});
