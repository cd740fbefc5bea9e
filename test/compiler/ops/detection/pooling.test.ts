import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isDelicate, roiAlign, roiPool } from "./pooled.js";
import { rowsOf, tensor } from "./reference.js";
import { check, runOperator, variants, type Input } from "./run.js";
import { input, regions, values } from "./samples.js";

/** Features and regions, some of them outside of the map, of no size, or turned. */
const cases = (corner: fc.Arbitrary<number[]>) =>
  fc
    .record({
      batch: fc.integer({ min: 1, max: 3 }),
      channels: fc.integer({ min: 1, max: 3 }),
      height: fc.integer({ min: 1, max: 9 }),
      width: fc.integer({ min: 1, max: 9 }),
      rows: fc.integer({ min: 0, max: 5 }),
    })
    .chain(({ batch, channels, height, width, rows }) =>
      fc.record({
        features: values(
          "N C h w",
          [batch, channels, height, width],
          fc.integer({ min: -99, max: 99 }).map((value) => Math.fround(value / 7)),
        ),
        regions: regions(rows, batch, corner),
      }),
    );

/** Whether each region has no more cells than the map, and two. */
function fits(features: Input, of: Input, scale: readonly number[]): boolean {
  const [height, width] = features.shape.slice(2) as [number, number];
  return rowsOf(of).every(([, x1, y1, x2, y2]) => {
    const cells = (from: number, to: number, factor: number): number => (to - from) * factor + 1;
    return cells(x1!, x2!, scale[1]!) <= width + 1 && cells(y1!, y2!, scale[0]!) <= height + 1;
  });
}

const side = fc.integer({ min: 1, max: 4 });

describe("roi_pool", () => {
  const whole = fc.integer({ min: -20, max: 60 });
  const box = fc
    .tuple(whole, whole, fc.integer({ min: -4, max: 60 }), fc.integer({ min: -4, max: 60 }))
    .map(([x, y, width, height]) => [x, y, x + width, y + height]);
  const how = fc.record({
    size: fc.tuple(side, side).map((both): number[] => both),
    scale: fc.constantFrom([0.25, 0.25], [0.125, 0.125], [0.25, 0.5], [0.3, 0.3]),
  });

  it("is Caffe's", async () => {
    await fc.assert(
      fc.asyncProperty(cases(box), how, variants, async (given, attributes, variant) => {
        const inputs = [given.features, given.regions];
        await check("roi_pool", inputs, attributes, [roiPool(given.features, given.regions, attributes)], variant);
      }),
      { numRuns: 150 },
    );
  });

  it("is the same from tables, for regions of no more cells than the map", async () => {
    await fc.assert(
      fc.asyncProperty(cases(box), how, variants, async ({ features, regions: of }, attributes, variant) => {
        fc.pre(fits(features, of, attributes.scale));
        const tables = { ...attributes, algorithm: "tables" };
        await check("roi_pool", [features, of], tables, [roiPool(features, of, attributes)], variant);
      }),
      { numRuns: 150 },
    );
  });

  it("rounds halves away from zero, is the largest of negative values too, and 0 outside", async () => {
    const features = input(
      "N C h w",
      [1, 1, 4, 4],
      Array.from({ length: 16 }, (_, index) => index - 20),
    );
    // Scale 1/16: 8 is half a cell, 24 one and a half: cells 1 to 2. -8 is cell -1, which is outside.
    const of = input("R 5", [3, 5], [0, 8, 8, 24, 24, 0, -8, -8, 0, 0, 0, 160, 160, 200, 200]);
    const attributes = { size: [1, 1], scale: [1 / 16, 1 / 16] };
    const [pooled] = await runOperator("roi_pool", [features, of], attributes);
    expect(pooled!.data).toEqual([10 - 20, 0 - 20, 0]);
    const bins = { size: [2, 2], scale: [1 / 16, 1 / 16] };
    // Cells 0 to 2 in two bins: floor and ceiling of 1.5 put the middle cell into both.
    const [overlapping] = await runOperator("roi_pool", [features, input("R 5", [1, 5], [0, 0, 0, 32, 32])], bins);
    expect(overlapping!.data).toEqual([5 - 20, 6 - 20, 9 - 20, 10 - 20]);
  });
});

describe("roi_align", () => {
  const eighth = fc.integer({ min: -80, max: 240 }).map((value) => value / 8);
  // Not a whole number of eighths: a bin's number of points is no matter of rounding.
  const length = fc.integer({ min: 0, max: 200 }).map((value) => Math.fround(value / 8 + 0.03));
  const box = fc
    .tuple(eighth, eighth, length, length)
    .map(([x, y, width, height]) => [x, y, Math.fround(x + width), Math.fround(y + height)]);
  const how = fc.record({
    size: fc.tuple(side, side).map((both): number[] => both),
    scale: fc.constantFrom([0.25, 0.25], [0.125, 0.125], [0.25, 0.5]),
    sampling: fc.integer({ min: 0, max: 3 }),
    aligned: fc.boolean(),
  });

  it("is torchvision's, and Detectron2's where it is aligned", async () => {
    await fc.assert(
      fc.asyncProperty(cases(box), how, variants, async ({ features, regions: of }, attributes, { opset, open }) => {
        fc.pre(!isDelicate(features, of, attributes));
        const variant = { opset: attributes.aligned ? Math.max(opset, 17) : opset, open };
        await check("roi_align", [features, of], attributes, [roiAlign(features, of, attributes)], variant, 1e-5);
      }),
      { numRuns: 150 },
    );
  });

  it("is the same from samples and as products", async () => {
    const algorithms = fc.constantFrom("samples", "products");
    await fc.assert(
      fc.asyncProperty(
        cases(box),
        how,
        algorithms,
        variants,
        async ({ features, regions: of }, given, algorithm, variant) => {
          fc.pre(!isDelicate(features, of, given));
          const attributes = { ...given, algorithm: given.sampling === 0 ? "products" : algorithm };
          await check("roi_align", [features, of], attributes, [roiAlign(features, of, given)], variant, 1e-4);
        },
      ),
      { numRuns: 200 },
    );
  });

  it("before opset 16 has no aligned region of less than a cell", async () => {
    await fc.assert(
      fc.asyncProperty(cases(box), how, async ({ features, regions: of }, how_) => {
        const attributes = { ...how_, aligned: true };
        const [y, x] = how_.scale as [number, number];
        const shifted = of.data.map((value, index) =>
          index % 5 === 0 ? value : value - (index % 5 === 1 || index % 5 === 3 ? 0.5 / x : 0.5 / y),
        );
        const early = { ...how_, aligned: false };
        const moved = { ...of, data: shifted };
        fc.pre(!isDelicate(features, moved, early));
        const expected = roiAlign(features, moved, early);
        await check("roi_align", [features, of], attributes, [expected], { opset: 13, open: true }, 1e-5);
      }),
      { numRuns: 60 },
    );
  });

  it("takes as many points as there are whole cells in a bin, and no more", async () => {
    const squares = Array.from({ length: 49 }, (_, index) => (index % 7) ** 2 * Math.floor(index / 7));
    const features = input("N C h w", [1, 1, 7, 7], squares);
    // Bins of 1, 2 and 3 cells.
    const of = input("R 5", [3, 5], [0, 0, 0, 2, 4, 0, 1, 1, 5, 5, 0, 0, 0, 6, 6]);
    for (const algorithm of ["operator", "products"]) {
      for (const aligned of [false, true]) {
        const attributes = { size: [2, 2], scale: [1, 1], sampling: 0, aligned };
        const expected = roiAlign(features, of, attributes);
        const variant = { opset: 17, open: false };
        await check("roi_align", [features, of], { ...attributes, algorithm }, [expected], variant, 1e-5);
      }
    }
  });

  it("gives the published values", async () => {
    // Detectron2's tests/layers/test_roi_align.py.
    const features = input(
      "N C h w",
      [1, 1, 5, 5],
      Array.from({ length: 25 }, (_, index) => index),
    );
    const of = input("R 5", [1, 5], [0, 1, 1, 3, 3]);
    const rows = (first: number): number[] =>
      [0, 2.5, 5, 7.5].flatMap((down) => [0, 0.5, 1, 1.5].map((across) => first + down + across));
    for (const [aligned, first] of [
      [false, 7.5],
      [true, 4.5],
    ] as const) {
      const attributes = { size: [4, 4], scale: [1, 1], sampling: 0, aligned };
      const expected = tensor([1, 1, 4, 4], rows(first));
      for (const opset of [13, 17])
        await check("roi_align", [features, of], attributes, [expected], { opset, open: false });
    }
  });
});
