/** What one-stage detectors choose from: the best of all classes and anchors, suppressed by label, and what is left. */
import fc from "fast-check";
import { describe, it } from "vitest";
import { boxesOf, indicesOf, integers, isIn, one, ranked, rowsOf, suppressed, tensor } from "./reference.js";
import { check, variants } from "./run.js";
import { anyScore, boxes, indices, input, LOWEST, score, values } from "./samples.js";

const whole = (min: number, max: number) => fc.integer({ min, max });
const runs = { numRuns: 60 };

describe("candidates", () => {
  const cases = fc
    .record({ batch: whole(1, 3), classes: whole(1, 4), length: whole(1, 6) })
    .chain(({ batch, classes, length }) => values("N K L", [batch, classes, length], score));

  it("are the best of all classes and rows, equals in their order", async () => {
    await fc.assert(
      fc.asyncProperty(cases, whole(1, 30), variants, async (scores, k, variant) => {
        const [batch, classes, length] = scores.shape as [number, number, number];
        const count = Math.min(k, classes * length);
        const best = rowsOf(scores, classes * length).map((row) => ({ row, order: ranked(row).slice(0, count) }));
        const shape = [batch, count];
        const expected = [
          tensor(
            shape,
            best.flatMap(({ row, order }) => order.map((index) => row[index]!)),
          ),
          integers(
            shape,
            best.flatMap(({ order }) => order.map((index) => index % length)),
          ),
          integers(
            shape,
            best.flatMap(({ order }) => order.map((index) => Math.floor(index / length))),
          ),
        ];
        await check("top_candidates", [scores], { k, each_class: false }, expected, variant);
      }),
      runs,
    );
  });

  it("are the best of each class, one class after the other", async () => {
    await fc.assert(
      fc.asyncProperty(cases, whole(1, 8), variants, async (scores, k, variant) => {
        const [batch, classes, length] = scores.shape as [number, number, number];
        const count = Math.min(k, length);
        const best = rowsOf(scores).map((row) => ({ row, order: ranked(row).slice(0, count) }));
        const shape = [batch, classes * count];
        const expected = [
          tensor(
            shape,
            best.flatMap(({ row, order }) => order.map((index) => row[index]!)),
          ),
          integers(
            shape,
            best.flatMap(({ order }) => order),
          ),
          integers(
            shape,
            indicesOf([batch, classes, count]).map(([, label]) => label!),
          ),
        ];
        await check("top_candidates", [scores], { k, each_class: true }, expected, variant);
      }),
      runs,
    );
  });
});

/** Boxes of a batch with a score and a label each. */
const labelled = fc.record({ batch: whole(1, 3), length: whole(1, 9) }).chain(({ batch, length }) =>
  fc.record({
    boxes: boxes("N T 4", [batch, length]),
    scores: values("N T", [batch, length], anyScore),
    labels: values("N T", [batch, length], whole(0, 3)).map((each) => indices("N T", each.shape, each.data)),
  }),
);

describe("suppression by label", () => {
  const how = fc.record({
    iou: fc.constantFrom(0, 0.3, 0.5, 1),
    keep: whole(1, 4),
    inclusive: fc.boolean(),
    threshold: fc.constantFrom(-1, 0, 0.25, 0.5),
  });

  it("leaves the best of boxes of a label that overlap, in each image by itself", async () => {
    await fc.assert(
      fc.asyncProperty(labelled, how, variants, async ({ boxes: all, scores, labels }, attributes, variant) => {
        const [batch, length] = scores.shape as [number, number];
        const corners = boxesOf(all);
        const expected = new Array<number>(batch * length).fill(LOWEST);
        for (const [image, label] of indicesOf([batch, 4])) {
          const own = Array.from({ length }, (_, index) => image! * length + index).filter(
            (at) => labels.data[at] === label && isIn(scores.data[at]!) && scores.data[at]! > attributes.threshold,
          );
          const kept = suppressed(
            own.map((at) => corners[at]!),
            own.map((at) => scores.data[at]!),
            attributes.iou,
            one(attributes),
          );
          kept.slice(0, attributes.keep).forEach((index) => (expected[own[index]!] = scores.data[own[index]!]!));
        }
        await check("nms", [all, scores, labels], attributes, [tensor(scores.shape, expected)], variant);
      }),
      { numRuns: 150 },
    );
  });

  it("minds no boxes", async () => {
    const none = [input("N T 4", [2, 0, 4], []), input("N T", [2, 0], []), indices("N T", [2, 0], [])];
    for (const open of [false, true]) {
      const attributes = { iou: 0.5, keep: 3, inclusive: false, threshold: 0 };
      await check("nms", none, attributes, [tensor([2, 0], [])], { opset: 17, open });
    }
  });
});

describe("what is left", () => {
  it("are the best of each image over all labels, without those that are out", async () => {
    await fc.assert(
      fc.asyncProperty(labelled, whole(1, 12), variants, async ({ boxes: all, scores, labels }, keep, variant) => {
        const length = scores.shape[1]!;
        const best = rowsOf(scores).flatMap((row, image) =>
          ranked(row)
            .slice(0, keep)
            .filter((index) => isIn(row[index]!))
            .map((index) => ({ image, at: image * length + index })),
        );
        const corners = rowsOf(all);
        const count = best.length;
        const expected = [
          tensor(
            [count, 4],
            best.flatMap(({ at }) => corners[at]!),
          ),
          tensor(
            [count],
            best.map(({ at }) => scores.data[at]!),
          ),
          integers(
            [count],
            best.map(({ at }) => labels.data[at]!),
          ),
          integers(
            [count],
            best.map(({ image }) => image),
          ),
        ];
        await check("top_boxes", [all, scores, labels], { keep }, expected, variant);
      }),
      runs,
    );
  });

  it("is nothing where every score is out, or nothing is given", async () => {
    const nothing = [tensor([0, 4], []), tensor([0], []), integers([0], []), integers([0], [])];
    for (const length of [0, 2]) {
      const given = [
        input("N T 4", [2, length, 4], new Array<number>(8 * length).fill(1)),
        input("N T", [2, length], new Array<number>(2 * length).fill(LOWEST)),
        indices("N T", [2, length], new Array<number>(2 * length).fill(0)),
      ];
      for (const opset of [13, 17]) await check("top_boxes", given, { keep: 2 }, nothing, { opset, open: true });
    }
  });
});
