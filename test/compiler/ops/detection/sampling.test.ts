/** Which boxes are drawn, and what becomes of their rows, beside plain loops (matched.ts) and torchvision's own example. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { drawn, rowsTaken } from "./matched.js";
import { integers, isIn, paired, rowsOf, tensor } from "./reference.js";
import { check, runOperator, variants } from "./run.js";
import { anyScore, boxes, indices, input, values } from "./samples.js";

const runs = { numRuns: 60 };
const sizes = fc.record({ batch: fc.integer({ min: 1, max: 3 }), rows: fc.integer({ min: 1, max: 12 }) });
const label = fc.constantFrom(-1, 0, 1);
/** Few, so that some are the same. */
const number = fc.integer({ min: 0, max: 9 }).map((tenths) => Math.fround(tenths / 10));
const cases = sizes.chain(({ batch, rows }) =>
  fc.record({ labels: values("N A", [batch, rows], label), numbers: values("N A", [batch, rows], number) }),
);
const how = fc.record({
  count: fc.integer({ min: 1, max: 14 }),
  share: fc.constantFrom(0, 0.25, 0.3, 0.5, 1),
});

describe("a sample", () => {
  it("has those with the smallest numbers, some of objects, filled up with background", async () => {
    await fc.assert(
      fc.asyncProperty(cases, how, variants, async ({ labels, numbers }, attributes, variant) => {
        const { count, share } = attributes;
        const all = rowsOf(numbers);
        const expected = rowsOf(labels).flatMap((row, image) => drawn(row, all[image]!, count, share));
        await check("sample_by", [labels, numbers], attributes, [tensor(labels.shape, expected)], variant);
      }),
      { numRuns: 200 },
    );
  });

  it("has the first where nothing is trained", async () => {
    await fc.assert(
      fc.asyncProperty(cases, how, variants, async ({ labels }, attributes, variant) => {
        const { count, share } = attributes;
        const expected = rowsOf(labels).flatMap((row) => drawn(row, [...row.keys()], count, share));
        await check("sample", [labels], attributes, [tensor(labels.shape, expected)], variant);
      }),
      runs,
    );
  });

  // test/test_models_detection_utils.py of torchvision: 6 of the background, 3 of objects, 2 of neither.
  it("is as large as torchvision's example says", async () => {
    const labels = input("N A", [1, 11], [0, 0, 0, 0, 0, 0, 1, 1, 1, -1, -1]);
    for (let seed = 0; seed < 8; seed += 1) {
      const numbers = Array.from({ length: 11 }, (_, at) =>
        Math.fround(Math.abs(Math.sin(12.9898 * (at + 11 * seed)))),
      );
      const [found] = await runOperator("sample_by", [labels, input("N A", [1, 11], numbers)], {
        count: 4,
        share: 0.25,
      });
      const positions = (of: number): number[] => [...found!.data.keys()].filter((at) => found!.data[at] === of);
      expect(positions(1)).toHaveLength(1);
      expect(positions(1).every((at) => at >= 6 && at < 9)).toBe(true);
      expect(positions(0)).toHaveLength(3);
      expect(positions(0).every((at) => at < 6)).toBe(true);
    }
  });

  it("becomes as many rows of each image, which others fill up", async () => {
    await fc.assert(
      fc.asyncProperty(cases, fc.integer({ min: 1, max: 16 }), variants, async ({ labels }, count, variant) => {
        const batch = labels.shape[0]!;
        const taken = rowsOf(labels).map((row) => rowsTaken(row, count));
        const expected = [
          integers(
            [batch, count],
            taken.flatMap(({ rows }) => rows),
          ),
          tensor(
            [batch, count],
            taken.flatMap((each) => each.labels),
          ),
        ];
        await check("sampled_rows", [labels], { count }, expected, variant);
      }),
      runs,
    );
  });
});

describe("rows", () => {
  it("are taken value by value, image by image", async () => {
    const taken = sizes.chain(({ batch, rows }) =>
      fc.record({
        all: values("N L", [batch, rows], number),
        where: values("N T", [batch, 5], fc.integer({ min: 0, max: rows - 1 })),
      }),
    );
    await fc.assert(
      fc.asyncProperty(taken, variants, async ({ all, where }, variant) => {
        const own = rowsOf(all);
        const expected = rowsOf(where).flatMap((row, image) => row.map((at) => own[image]![at]!));
        const places = indices("N T", where.shape, where.data);
        await check("gather_values", [all, places], {}, [tensor(where.shape, expected)], variant);
      }),
      runs,
    );
  });

  it("of all images stand one after the other, and as regions with the number of theirs", async () => {
    const some = fc
      .record({ batch: fc.integer({ min: 1, max: 3 }), rows: fc.integer({ min: 0, max: 5 }) })
      .chain(({ batch, rows }) => boxes("N S 4", [batch, rows]));
    await fc.assert(
      fc.asyncProperty(some, variants, async (all, variant) => {
        const [batch, rows] = all.shape as [number, number];
        await check("flat_rows", [all], {}, [tensor([batch * rows, 4], all.data)], variant);
        const expected = rowsOf(all).flatMap((box, at) => [Math.floor(at / rows), ...box]);
        await check("rows_as_regions", [all], {}, [tensor([batch * rows, 5], expected)], variant);
        // Of one value each.
        const single = input("N S", [batch, rows], all.data.slice(0, batch * rows));
        await check("flat_rows", [single], {}, [tensor([batch * rows], single.data)], variant);
      }),
      runs,
    );
  });

  it("are taken by their numbers, as often as they are named", async () => {
    const some = fc
      .integer({ min: 1, max: 5 })
      .chain((rows) =>
        fc.tuple(boxes("R 4", [rows]), fc.array(fc.integer({ min: 0, max: rows - 1 }), { maxLength: 6 })),
      );
    await fc.assert(
      fc.asyncProperty(some, variants, async ([all, which], variant) => {
        const own = rowsOf(all);
        const expected = tensor(
          [which.length, 4],
          which.flatMap((row) => own[row]!),
        );
        await check("take_rows", [all, indices("S", [which.length], which)], {}, [expected], variant);
      }),
      runs,
    );
  });

  it("have shares of classes, with the background first, last or left out", async () => {
    const some = fc
      .record({ classes: fc.integer({ min: 1, max: 4 }), shape: fc.constantFrom([6], [2, 3]) })
      .chain((each) =>
        fc.record({
          classes: fc.constant(each.classes),
          labels: values(["N", "A"].slice(0, each.shape.length).join(" "), each.shape, label),
          numbers: values(
            ["N", "A"].slice(0, each.shape.length).join(" "),
            each.shape,
            fc.integer({ min: 0, max: each.classes - 1 }),
          ),
        }),
      );
    const place = fc.constantFrom("none", "first", "last");
    await fc.assert(
      fc.asyncProperty(some, place, variants, async ({ classes, labels, numbers }, background, variant) => {
        const width = classes + (background === "none" ? 0 : 1);
        const expected = labels.data.flatMap((of, at) => {
          const row = new Array<number>(width).fill(0);
          if (of === 1) row[numbers.data[at]! + (background === "first" ? 1 : 0)] = 1;
          if (of === 0 && background !== "none") row[background === "first" ? 0 : classes] = 1;
          return row;
        });
        const attributes = { classes, background };
        await check(
          "class_shares",
          [labels, numbers],
          attributes,
          [tensor([...labels.shape, width], expected)],
          variant,
        );
      }),
      runs,
    );
  });

  it("are told by their scores from those that are out", async () => {
    const some = sizes.chain(({ batch, rows }) => values("N T", [batch, rows], anyScore));
    await fc.assert(
      fc.asyncProperty(some, variants, async (scores, variant) => {
        const expected = scores.data.map((score) => (isIn(score) ? 1 : 0));
        await check("are_valid", [scores], {}, [tensor(scores.shape, expected)], variant);
      }),
      { numRuns: 30 },
    );
  });

  it("end with their last pixel where they ended behind it, one of their own or of a larger or smaller image", async () => {
    const factor = fc.constantFrom(0.5, 1, 1.25, 2);
    const some = sizes.chain(({ batch, rows }) =>
      fc.tuple(boxes("N G 4", [batch, rows]), values("N 1 2", [batch, 1, 2], factor)),
    );
    await fc.assert(
      fc.asyncProperty(some, variants, async ([all, factors], variant) => {
        const expected = rowsOf(all).flatMap(([x1, y1, x2, y2]) => [x1!, y1!, x2! - 1, y2! - 1]);
        await check("last_pixels", [all], {}, [tensor(all.shape, expected)], variant);
        const scaled = paired(all, factors).flatMap(([[x1, y1, x2, y2], [y, x]]) => [x1!, y1!, x2! - x!, y2! - y!]);
        await check("last_pixels", [all, factors], {}, [tensor(all.shape, scaled)], variant);
      }),
      { numRuns: 30 },
    );
  });
});
