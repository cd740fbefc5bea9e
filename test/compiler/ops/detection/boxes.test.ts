import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { check, runOperator, variants } from "./run.js";
import { clipped, decoded, encoded, largeEnough, paired, rowsOf, scaled, tensor } from "./reference.js";
import { anyBox, anyScore, boxes, counts, input, list, LOWEST, values } from "./samples.js";

const runs = { numRuns: 40 };
const weights = fc.constantFrom([1, 1, 1, 1], [10, 10, 5, 5]);
const thousandth = fc.integer({ min: -3000, max: 3000 }).map((value) => Math.fround(value / 1000));

describe("deltas", () => {
  const coder = fc.record({
    weights,
    clamp: fc.constantFrom(0, 4.135166556742356, 0.5),
    inclusive: fc.boolean(),
    last_pixel: fc.boolean(),
  });

  it("move and stretch boxes, a box for each class", async () => {
    const cases = counts.chain(({ rows, classes }) =>
      fc.tuple(boxes("R 1 4", [rows, 1]), values("R K 4", [rows, classes, 4], thousandth)),
    );
    await fc.assert(
      fc.asyncProperty(cases, coder, variants, async ([from, deltas], attributes, variant) => {
        const expected = paired(from, deltas).flatMap(([box, delta]) => decoded(box, delta, attributes));
        await check("box_decode", [from, deltas], attributes, [tensor(deltas.shape, expected)], variant, 1e-5);
      }),
      runs,
    );
  });

  it("move and stretch anchors, the same for each image", async () => {
    const cases = fc.tuple(boxes("L 4", [5]), values("N L 4", [2, 5, 4], thousandth));
    await fc.assert(
      fc.asyncProperty(cases, coder, variants, async ([anchors, deltas], attributes, variant) => {
        const repeated = tensor([2, 5, 4], [...anchors.data, ...anchors.data]);
        const expected = paired(repeated, deltas).flatMap(([box, delta]) => decoded(box, delta, attributes));
        await check("box_decode", [anchors, deltas], attributes, [tensor([2, 5, 4], expected)], variant, 1e-5);
      }),
      runs,
    );
  });

  it("or distances say where the sides are, from the middle", async () => {
    const cases = fc.tuple(boxes("L 4", [5]), values("N L 4", [2, 5, 4], thousandth));
    await fc.assert(
      fc.asyncProperty(cases, variants, async ([from, distances], variant) => {
        const repeated = tensor([2, 5, 4], [...from.data, ...from.data]);
        const expected = paired(repeated, distances).flatMap(([[x1, y1, x2, y2], [left, top, right, bottom]]) => {
          const [width, height, x, y] = [x2! - x1!, y2! - y1!, (x1! + x2!) / 2, (y1! + y2!) / 2];
          return [x - left! * width, y - top! * height, x + right! * width, y + bottom! * height];
        });
        await check("distance_decode", [from, distances], {}, [tensor([2, 5, 4], expected)], variant, 1e-5);
      }),
      runs,
    );
  });

  it("are what leads from one box to another", async () => {
    const proper = anyBox.filter(([x1, y1, x2, y2]) => x2! > x1! && y2! > y1!);
    const cases = counts.chain(({ rows }) => fc.tuple(boxes("R 4", [rows], proper), boxes("R 4", [rows], proper)));
    const how = fc.record({ weights, inclusive: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(cases, how, variants, async ([from, to], attributes, variant) => {
        const expected = paired(from, to).flatMap(([a, b]) => encoded(a, b, attributes));
        await check("box_encode", [from, to], attributes, [tensor(from.shape, expected)], variant, 1e-5);
        // And back again, where the last pixel is counted the same way.
        const back = { ...attributes, clamp: 0, last_pixel: attributes.inclusive };
        const deltas = input("R 4", from.shape, expected.map(Math.fround));
        await check("box_decode", [from, deltas], back, [to], variant, 1e-4);
      }),
      runs,
    );
  });

  it("that are not finite leave no box behind, clipped or not", async () => {
    const wild = [NaN, Infinity, -Infinity, 0.1, 1e30, -1e30];
    const from = input("L 4", [1, 4], [2, 3, 12, 9]);
    for (const clamp of [0, 4]) {
      const deltas = input(
        "L 4",
        [24, 4],
        wild.flatMap((value) => [0, 1, 2, 3].flatMap((k) => [0, 1, 2, 3].map((at) => (at === k ? value : 0.1)))),
      );
      const coding = { weights: [1, 1, 1, 1], clamp, inclusive: false, last_pixel: false };
      const [moved] = await runOperator("box_decode", [from, deltas], coding);
      const size = input("L 2", [1, 2], [20, 30]);
      const [inside] = await runOperator("box_clip", [{ ...moved!, sizes: "L 4" }, size], { inclusive: false });
      const scores = input("L", [24], new Array<number>(24).fill(0.5));
      const small = { min_size: 0, inclusive: false, strict: true };
      const [kept] = await runOperator("mask_small", [scores, { ...inside!, sizes: "L 4" }], small);
      rowsOf(deltas).forEach((delta, row) => {
        const box = clipped(decoded([2, 3, 12, 9], delta, coding), [20, 30], { inclusive: false });
        expect(kept!.data[row], `${delta.join()} gives ${box.join()}`).toBe(largeEnough(box, 0, small) ? 0.5 : LOWEST);
      });
    }
  });
});

describe("boxes", () => {
  it("are cut off at the edges of their image", async () => {
    const cases = counts.chain(({ batch, rows }) =>
      fc.tuple(boxes("N T 4", [batch, rows]), values("N 1 2", [batch, 1, 2], fc.integer({ min: 1, max: 30 }))),
    );
    await fc.assert(
      fc.asyncProperty(cases, fc.boolean(), variants, async ([all, sizes], inclusive, variant) => {
        const expected = paired(all, sizes).flatMap(([box, size]) => clipped(box, size, { inclusive }));
        await check("box_clip", [all, sizes], { inclusive }, [tensor(all.shape, expected)], variant);
      }),
      runs,
    );
  });

  it("are multiplied and divided by factors of y and x", async () => {
    const factor = fc.constantFrom(0.5, 1.25, 3, 0.37).map(Math.fround);
    const cases = counts.chain(({ rows, classes }) =>
      fc.tuple(boxes("R K 4", [rows, classes]), values("R 1 2", [rows, 1, 2], factor)),
    );
    await fc.assert(
      fc.asyncProperty(cases, fc.boolean(), variants, async ([all, factors], divide, variant) => {
        const expected = paired(all, factors).flatMap(([box, by]) => scaled(box, by, { divide }));
        await check("box_scale", [all, factors], { divide }, [tensor(all.shape, expected)], variant, 1e-6);
      }),
      runs,
    );
  });

  it("that are too small or not finite lose their score", async () => {
    const wild = fc.oneof(
      { weight: 8, arbitrary: anyBox },
      { weight: 1, arbitrary: anyBox.map((box) => box.with(2, Infinity)) },
      { weight: 1, arbitrary: anyBox.map((box) => box.with(1, -Infinity)) },
      { weight: 1, arbitrary: anyBox.map((box) => box.with(0, NaN)) },
      { weight: 1, arbitrary: fc.constant<number[]>([-Infinity, 0, Infinity, 5]) },
    );
    const scores = fc.oneof({ weight: 9, arbitrary: anyScore }, fc.constantFrom(NaN, Infinity, -Infinity));
    const cases = counts.chain(({ batch, rows }) =>
      fc.tuple(
        values("N T", [batch, rows], scores),
        boxes("N T 4", [batch, rows], wild),
        fc.option(list(fc.constantFrom(0.5, 1, 2), batch), { nil: undefined }),
      ),
    );
    const how = fc.record({
      min_size: fc.constantFrom(0, 1, 4, 9),
      inclusive: fc.boolean(),
      strict: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(cases, how, variants, async ([given, all, scales], attributes, variant) => {
        const [batch, rows] = given.shape as [number, number];
        const expected = rowsOf(all).map((box, index) => {
          const minimum = attributes.min_size * (scales?.[Math.floor(index / rows)] ?? 1);
          const score = given.data[index]!;
          return Number.isFinite(score) && largeEnough(box, minimum, attributes) ? score : LOWEST;
        });
        const inputs = [given, all, ...(scales ? [input("N 1", [batch, 1], scales)] : [])];
        await check("mask_small", inputs, attributes, [tensor(given.shape, expected)], variant);
      }),
      { numRuns: 60 },
    );
  });
});
