import fc from "fast-check";
import { describe, it } from "vitest";
import { indicesOf, integers, isIn, ranked, rowsOf, suppressed, one, boxesOf, tensor } from "./reference.js";
import { check, variants } from "./run.js";
import { anyScore, boxes, indices, input, LOWEST, score, values } from "./samples.js";

const runs = { numRuns: 60 };
const sizes = fc.record({ batch: fc.integer({ min: 1, max: 3 }), length: fc.integer({ min: 1, max: 9 }) });
const limit = fc.integer({ min: 1, max: 12 });

describe("the best", () => {
  it("scores of each image come first, equals in their order, no more than there are", async () => {
    const cases = sizes.chain(({ batch, length }) => values("N L", [batch, length], score));
    await fc.assert(
      fc.asyncProperty(cases, limit, variants, async (scores, k, variant) => {
        const [batch, length] = scores.shape as [number, number];
        const count = Math.min(k, length);
        const best = rowsOf(scores).map((row) => ranked(row).slice(0, count));
        const taken = best.flatMap((row, image) => row.map((index) => scores.data[image * length + index]!));
        const expected = [tensor([batch, count], taken), integers([batch, count], best.flat())];
        await check("top_k", [scores], { k }, expected, variant);
      }),
      runs,
    );
  });

  it("rows are taken by their indices, from each image's own or from the same for all", async () => {
    const cases = sizes.chain(({ batch, length }) =>
      fc.record({
        own: boxes("N L 4", [batch, length]),
        same: boxes("L 4", [length]),
        where: fc.array(fc.integer({ min: 0, max: length - 1 }), { minLength: 2 * batch, maxLength: 2 * batch }),
      }),
    );
    await fc.assert(
      fc.asyncProperty(cases, variants, async ({ own, same, where }, variant) => {
        const [batch, length] = own.shape as [number, number];
        const taken = indices("N T", [batch, 2], where);
        const [ownRows, sameRows] = [rowsOf(own), rowsOf(same)];
        const each = where.map((index, place) => ownRows[Math.floor(place / 2) * length + index]!);
        await check("gather_rows", [own, taken], {}, [tensor([batch, 2, 4], each.flat())], variant);
        const all = where.map((index) => sameRows[index]!);
        await check("gather_rows", [same, taken], {}, [tensor([batch, 2, 4], all.flat())], variant);
      }),
      runs,
    );
  });

  it("boxes of each image become regions, without those that are out", async () => {
    const cases = sizes.chain(({ batch, length }) =>
      fc.tuple(boxes("N T 4", [batch, length]), values("N T", [batch, length], anyScore)),
    );
    await fc.assert(
      fc.asyncProperty(cases, limit, variants, async ([all, scores], keep, variant) => {
        const length = scores.shape[1]!;
        const corners = rowsOf(all);
        const best = rowsOf(scores).flatMap((row, image) =>
          ranked(row)
            .slice(0, keep)
            .filter((index) => isIn(row[index]!))
            .map((index) => ({ image, box: corners[image * length + index]!, score: row[index]! })),
        );
        // What stands for no region.
        if (best.length === 0) best.push({ image: 0, box: [0, 0, -1, -1], score: LOWEST });
        const regions = tensor(
          [best.length, 5],
          best.flatMap(({ image, box }) => [image, ...box]),
        );
        const kept = tensor(
          [best.length, 1],
          best.map((each) => each.score),
        );
        await check("top_regions", [all, scores], { keep }, [regions, kept], variant);
      }),
      runs,
    );
  });

  it("boxes are one without area where every score is out", async () => {
    const all = input("N T 4", [2, 3, 4], new Array<number>(24).fill(1));
    const scores = input("N T", [2, 3], new Array<number>(6).fill(LOWEST));
    for (const opset of [13, 17]) {
      const none = [tensor([1, 5], [0, 0, 0, -1, -1]), tensor([1, 1], [LOWEST])];
      await check("top_regions", [all, scores], { keep: 2 }, none, { opset, open: true });
    }
  });

  it("rows are found among any others", async () => {
    const cases = fc
      .integer({ min: 0, max: 5 })
      .chain((count) => fc.tuple(values("D", [count], anyScore), boxes("D 4", [count])));
    await fc.assert(
      fc.asyncProperty(cases, variants, async ([scores, rows], variant) => {
        const kept = [...scores.data.keys()].filter((index) => isIn(scores.data[index]!));
        const labels = indices("D", scores.shape, [...scores.data.keys()]);
        const corners = rowsOf(rows);
        const expected = [
          tensor(
            [kept.length],
            kept.map((index) => scores.data[index]!),
          ),
          tensor(
            [kept.length, 4],
            kept.flatMap((index) => corners[index]!),
          ),
          integers([kept.length], kept),
        ];
        await check("select_valid", [scores, rows, labels], {}, expected, variant);
      }),
    );
  });
});

describe("suppression", () => {
  const how = fc.record({
    iou: fc.constantFrom(0, 0.3, 0.5, 0.7, 1),
    keep: fc.integer({ min: 1, max: 8 }),
    inclusive: fc.boolean(),
  });

  it("leaves the best of boxes that overlap, in each image by itself", async () => {
    const cases = sizes.chain(({ batch, length }) =>
      fc.tuple(boxes("N T 4", [batch, length]), values("N T", [batch, length], anyScore)),
    );
    await fc.assert(
      fc.asyncProperty(cases, how, variants, async ([all, scores], attributes, variant) => {
        const [batch, length] = scores.shape as [number, number];
        const corners = boxesOf(all);
        const expected = new Array<number>(batch * length).fill(LOWEST);
        for (let image = 0; image < batch; image += 1) {
          const own = Array.from({ length }, (_, index) => image * length + index).filter((at) =>
            isIn(scores.data[at]!),
          );
          const kept = suppressed(
            own.map((at) => corners[at]!),
            own.map((at) => scores.data[at]!),
            attributes.iou,
            one(attributes),
          );
          kept.slice(0, attributes.keep).forEach((index) => (expected[own[index]!] = scores.data[own[index]!]!));
        }
        await check("nms", [all, scores], attributes, [tensor(scores.shape, expected)], variant);
      }),
      { numRuns: 150 },
    );
  });

  it("needs more overlap than the threshold, one pixel more for boxes that include their last", async () => {
    // Halves of a square of 10: exactly 0.5 of it, and 60 of 110 pixels with the last ones.
    const all = input("N T 4", [1, 2, 4], [0, 0, 10, 10, 0, 0, 10, 5]);
    const scores = input("N T", [1, 2], [0.9, 0.8]);
    const both = tensor([1, 2], [Math.fround(0.9), Math.fround(0.8)]);
    const first = tensor([1, 2], [Math.fround(0.9), LOWEST]);
    const variant = { opset: 17, open: false };
    for (const [iou, inclusive, expected] of [
      [0.5, false, both],
      [0.499, false, first],
      [0.5, true, first],
      [0.55, true, both],
    ] as const) {
      await check("nms", [all, scores], { iou, keep: 9, inclusive }, [expected], variant);
    }
    // 5 of 10 pixels, 4 of 9 without the last, across and down.
    for (const half of [
      [0, 0, 4, 9],
      [0, 0, 9, 4],
    ]) {
      const pair = input("N T 4", [1, 2, 4], [0, 0, 9, 9, ...half]);
      for (const [inclusive, expected] of [
        [true, first],
        [false, both],
      ] as const) {
        await check("nms", [pair, scores], { iou: 0.47, keep: 9, inclusive }, [expected], variant);
      }
    }
  });

  it("takes the first of equals for the better", async () => {
    const count = 40;
    const all = input(
      "N T 4",
      [1, count, 4],
      indicesOf([count]).flatMap(() => [0, 0, 9, 9]),
    );
    const scores = input("N T", [1, count], new Array<number>(count).fill(0.5));
    const expected = tensor([1, count], [0.5, ...new Array<number>(count - 1).fill(LOWEST)]);
    await check("nms", [all, scores], { iou: 0.5, keep: 9, inclusive: false }, [expected], {
      opset: 17,
      open: true,
    });
  });
});
