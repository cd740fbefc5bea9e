import fc from "fast-check";
import { describe, it } from "vitest";
import type { Attributes } from "../../../../compiler/ir/types.js";
import { classDetections, integers, ranked, rowsOf, tensor, voted, boxesOf } from "./reference.js";
import { check, variants, type Input, type Variant } from "./run.js";
import { anyBox, anyScore, boxes, counts, indices, info, input, regions, score, values } from "./samples.js";

/** Boxes and scores of every class of regions of a batch. */
const judged = (box = anyBox, of = anyScore) =>
  counts.chain(({ batch, rows, classes }) =>
    fc.record({
      boxes: boxes("R K 4", [rows, classes], box),
      scores: values("R K", [rows, classes], of),
      regions: regions(rows, batch),
      info: info(batch),
    }),
  );

describe("suppression by class", () => {
  const how = fc.record({
    threshold: fc.constantFrom(-1, 0, 0.25, 0.5),
    iou: fc.constantFrom(0.3, 0.5),
    inclusive: fc.boolean(),
  });
  const run = async (
    given: Readonly<Record<string, Input>>,
    attributes: Attributes,
    variant: Variant,
  ): Promise<void> => {
    const inputs = ["boxes", "scores", "regions", "info"].map((name) => given[name]!);
    const [all, scores, of, images] = inputs as [Input, Input, Input, Input];
    const expected = classDetections(all, scores, of, images.shape[0]!, attributes);
    const found = expected.picks.length;
    const outputs = [integers([found, 3], expected.picks.flat()), tensor([found], expected.scores)];
    await check("batched_nms", inputs, attributes, outputs, variant);
  };

  it("goes by image and class, in any order of the regions, without any too", async () => {
    await fc.assert(
      fc.asyncProperty(judged(), how, variants, (given, attributes, variant) => run(given, attributes, variant)),
      { numRuns: 150 },
    );
  });

  it("never picks what is not finite", async () => {
    const box = fc.oneof(anyBox, fc.constantFrom<number[]>([NaN, 0, 5, 5], [0, 0, Infinity, 5], [0, -Infinity, 5, 5]));
    const wild = fc.oneof(score, fc.constantFrom(NaN, Infinity, -Infinity));
    await fc.assert(
      fc.asyncProperty(judged(box, wild), how, variants, (given, attributes, variant) =>
        run(given, attributes, variant),
      ),
      { numRuns: 60 },
    );
  });
});

describe("the best detections", () => {
  /** Picks as suppression gives them: by image, class and score. */
  const found = counts.chain(({ batch }) =>
    fc.record({
      info: info(batch),
      each: fc.array(
        fc.tuple(
          fc.integer({ min: 0, max: batch - 1 }),
          fc.integer({ min: 0, max: 2 }),
          fc.integer({ min: 0, max: 9 }),
          score,
        ),
        { maxLength: 14 },
      ),
    }),
  );

  it("of each image are those of all classes with the highest scores", async () => {
    const how = fc.record({ keep: fc.integer({ min: 1, max: 5 }), ties: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(found, how, variants, async ({ each, info: images }, attributes, variant) => {
        const sorted = each.toSorted((a, b) => a[0] - b[0] || a[1] - b[1] || b[3] - a[3]);
        const picks = sorted.map((row) => row.slice(0, 3));
        const scores = sorted.map((row) => row[3]);
        const chosen = [...images.data.keys()].flatMap((image) => {
          const own = sorted.flatMap((row, index) => (row[0] === image ? [index] : []));
          const order = ranked(own.map((index) => scores[index]!)).map((index) => own[index]!);
          const least = scores[order[attributes.keep - 1] ?? -1] ?? -Infinity;
          return order.filter((index, rank) => rank < attributes.keep || (attributes.ties && scores[index]! >= least));
        });
        const rows = chosen.map((index) => picks[index]!);
        const expected = [
          integers([rows.length, 3], rows.flat()),
          tensor(
            [rows.length],
            chosen.map((index) => scores[index]!),
          ),
          integers(
            [rows.length],
            rows.map(([image]) => image!),
          ),
          integers(
            [rows.length],
            rows.map(([, label]) => label!),
          ),
        ];
        const inputs = [indices("S 3", [picks.length, 3], picks.flat()), input("S", [scores.length], scores), images];
        await check("top_detections", inputs, attributes, expected, variant);
      }),
      { numRuns: 150 },
    );
  });
});

/** Boxes, scores and regions with some picks among them, none where there are no regions. */
const picked = judged(anyBox, score).chain((given) => {
  const [rows, classes] = given.scores.shape as [number, number];
  const pick = fc.tuple(fc.integer({ min: 0, max: classes - 1 }), fc.integer({ min: 0, max: Math.max(rows - 1, 0) }));
  return fc.array(pick, { maxLength: rows === 0 ? 0 : 5 }).map((chosen) => {
    const of = rowsOf(given.regions);
    const picks = chosen.map(([label, row]) => [of[row]![0]!, label, row]);
    return { ...given, rows: picks, picks: indices("D 3", [picks.length, 3], picks.flat()) };
  });
});

describe("picks", () => {
  it("name boxes", async () => {
    await fc.assert(
      fc.asyncProperty(picked, variants, async ({ boxes: all, scores, picks, rows }, variant) => {
        const corners = boxesOf(all);
        const expected = rows.flatMap(([, label, row]) => corners[row! * scores.shape[1]! + label!]!);
        await check("pick_boxes", [all, picks], {}, [tensor([rows.length, 4], expected)], variant);
      }),
    );
  });

  it("have the masks of their classes, a region more or not", async () => {
    const labelled = fc.record({
      labels: fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 5 }),
      more: fc.integer({ min: 0, max: 1 }),
    });
    await fc.assert(
      fc.asyncProperty(labelled, variants, async ({ labels, more }, variant) => {
        const shape = [labels.length + more, 3, 2, 4];
        const data = Array.from({ length: 24 * shape[0]! }, (_, at) => at);
        const expected = labels.flatMap((label, row) => data.slice(24 * row + 8 * label, 24 * row + 8 * (label + 1)));
        const inputs = [input("R K h w", shape, data), indices("D", [labels.length], labels)];
        await check("pick_masks", inputs, {}, [tensor([labels.length, 2, 4], expected)], variant);
      }),
    );
  });

  it("of regions are of the likeliest class, the first of equals", async () => {
    await fc.assert(
      fc.asyncProperty(judged(anyBox, score), variants, async ({ boxes: all, scores }, variant) => {
        const [rows, classes] = scores.shape as [number, number];
        const corners = boxesOf(all);
        const expected = rowsOf(scores).flatMap((row, index) => corners[index * classes + ranked(row)[0]!]!);
        await check("pick_class", [all, scores], {}, [tensor([rows, 4], expected)], variant);
      }),
    );
  });
});

describe("voting", () => {
  const how = fc.record({
    iou: fc.constantFrom(0.3, 0.5, 0.8),
    inclusive: fc.boolean(),
    threshold: fc.constantFrom(-1, 0.05, 0.5),
    offset: fc.constantFrom(0, 1.5, -0.5),
  });

  it("is the mean of what overlaps, of the class and the image", async () => {
    await fc.assert(
      fc.asyncProperty(picked, how, variants, async ({ rows, ...given }, attributes, variant) => {
        const inputs = [given.boxes, given.scores, given.regions, given.picks];
        const expected = rows.flatMap((pick) => voted(given.boxes, given.scores, given.regions, pick, attributes));
        await check("box_vote", inputs, attributes, [tensor([rows.length, 4], expected)], variant, 1e-5);
      }),
      { numRuns: 150 },
    );
  });

  it("by hand: of four candidates one overlaps too little, and one has no more than the threshold", async () => {
    // The second overlaps the first by exactly a half.
    const all = input("R K 4", [4, 1, 4], [0, 0, 10, 10, 0, 0, 10, 5, 5, 5, 15, 15, 0, 0, 10, 9]);
    const scores = input("R K", [4, 1], [0.75, 0.25, 0.9, 0.125]);
    const of = input("R 5", [4, 5], new Array<number>(20).fill(0));
    const picks = indices("D 3", [1, 3], [0, 0, 0]);
    const voting = { iou: 0.5, inclusive: false, threshold: 0.125, offset: 0 };
    // (0.75 * 10 + 0.25 * 5) / 1 = 8.75; with 0.5 more for each: (1.25 * 10 + 0.75 * 5) / 2 = 8.125.
    const variant = { opset: 17, open: true };
    await check("box_vote", [all, scores, of, picks], voting, [tensor([1, 4], [0, 0, 10, 8.75])], variant, 1e-6);
    const raised = { ...voting, offset: 0.5 };
    await check("box_vote", [all, scores, of, picks], raised, [tensor([1, 4], [0, 0, 10, 8.125])], variant, 1e-6);
  });

  it("counts no candidate that is not finite", async () => {
    const all = input("R K 4", [3, 1, 4], [0, 0, 10, 10, NaN, 0, Infinity, 8, -Infinity, 0, 10, 10]);
    const scores = input("R K", [3, 1], [0.75, 0.5, 0.5]);
    const of = input("R 5", [3, 5], [0, 1, 1, 1, 1, 0, 1, 1, 1, 1, 0, 1, 1, 1, 1]);
    const picks = indices("D 3", [1, 3], [0, 0, 0]);
    const voting = { iou: 0.5, inclusive: true, threshold: 0.05, offset: 0 };
    const variant = { opset: 17, open: false };
    await check("box_vote", [all, scores, of, picks], voting, [tensor([1, 4], [0, 0, 10, 10])], variant, 1e-6);
  });
});
