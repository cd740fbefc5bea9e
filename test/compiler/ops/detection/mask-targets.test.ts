/** What masks of regions should be, against RoI Align in plain loops; and the gradient of picking masks of classes. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isDelicate, roiAlign } from "./pooled.js";
import { tensor } from "./reference.js";
import { check, variants } from "./run.js";
import { indices, input } from "./samples.js";

const CELLS = 8;
const OBJECTS = 2;

const quarter = (min: number, max: number) => fc.integer({ min: 4 * min, max: 4 * max }).map((value) => value / 4);
const region = fc.record({
  object: fc.integer({ min: 0, max: OBJECTS - 1 }),
  label: fc.constantFrom(1, 1, 0, -1),
  corner: fc.tuple(quarter(10, 16), quarter(10, 16)),
  size: fc.tuple(quarter(1, 9), quarter(1, 9)).map((both) => both.map((side) => side + 0.03125)),
});
const cases = fc.record({
  bits: fc.array(fc.boolean(), { minLength: 2 * OBJECTS * CELLS ** 2, maxLength: 2 * OBJECTS * CELLS ** 2 }),
  // Cells of one pixel, of two and of four.
  frames: fc.array(
    fc.tuple(fc.integer({ min: 8, max: 12 }), fc.integer({ min: 8, max: 12 }), fc.constantFrom(1, 2, 4)),
    {
      minLength: 2 * OBJECTS,
      maxLength: 2 * OBJECTS,
    },
  ),
  regions: fc
    .integer({ min: 1, max: 3 })
    .chain((each) => fc.array(region, { minLength: 2 * each, maxLength: 2 * each })),
  aligned: fc.boolean(),
});

describe("mask_targets", () => {
  it("are averages of the object's mask over the bins of each region, and 0 of what is no object", async () => {
    await fc.assert(
      fc.asyncProperty(cases, variants, async ({ bits, frames, regions, aligned }, variant) => {
        const each = regions.length / 2;
        const corners = regions.map(({ corner: [x, y], size: [w, h] }) => [x, y, x + w!, y + h!]);
        const values = bits.map(Number);
        const shift = (cell: number): number => (aligned ? 0 : 0.5 / cell - 0.5);
        const placed = regions.flatMap(({ object }, row) => {
          const own = Math.floor(row / each) * OBJECTS + object;
          const [left, top, cell] = frames[own]!;
          const inCells = corners[row]!.map((at, side) => (at - [left, top][side % 2]!) / cell + shift(cell));
          return [own, ...inCells];
        });
        const attributes = { size: [2, 3], scale: [1, 1], sampling: 0, aligned };
        const map = tensor([2 * OBJECTS, 1, CELLS, CELLS], values);
        const of = tensor([regions.length, 5], placed);
        // Before opset 16 an aligned region of less than a cell is sampled as if it were one.
        const least = placed.every((at, place) => place % 5 < 3 || at - placed[place - 2]! >= 1);
        fc.pre((variant.opset >= 16 || !aligned || least) && !isDelicate(map, of, attributes));
        const pooled = roiAlign(map, of, attributes).data;
        const expected = pooled.map((value, at) => (regions[Math.floor(at / 6)]!.label === 1 ? value : 0));
        const ofRows = (values: readonly number[]): readonly [string, number[], readonly number[]] => [
          "N P",
          [2, each],
          values,
        ];
        await check(
          "mask_targets",
          [
            input("N P 4", [2, each, 4], corners.flat()),
            input("N G h w", [2, OBJECTS, CELLS, CELLS], values),
            input(
              "N G 4",
              [2, OBJECTS, 4],
              frames.flatMap(([x, y, cell]) => [x, y, x + CELLS * cell, y + CELLS * cell]),
            ),
            indices(...ofRows(regions.map(({ object }) => object))),
            input(...ofRows(regions.map(({ label }) => label))),
          ],
          { size: [2, 3], aligned },
          [tensor([regions.length, 2, 3], expected)],
          variant,
          1e-5,
        );
      }),
    );
  });
});

describe("pick_masks_gradient", () => {
  it("is that of the picked class, and 0 of all others", async () => {
    const inputs = [
      input("R h w", [2, 1, 2], [1, 2, 3, 4]),
      input(
        "R K h w",
        [2, 3, 1, 2],
        Array.from({ length: 12 }, (_, at) => at),
      ),
      indices("R", [2], [2, 0]),
    ];
    const expected = [0, 0, 0, 0, 1, 2, 3, 4, 0, 0, 0, 0];
    for (const variant of [
      { opset: 17, open: false },
      { opset: 13, open: true },
    ]) {
      await check("pick_masks_gradient", inputs, {}, [tensor([2, 3, 1, 2], expected)], variant);
    }
    expect(expected).toHaveLength(12);
  });
});
