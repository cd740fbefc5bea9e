/** Which boxes are of which object, beside plain loops (matched.ts) and Detectron2's own example. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { iou } from "../../../runtime/detection/reference/boxes.js";
import { matched } from "./matched.js";
import { boxesOf, integers, one, rowsOf, tensor } from "./reference.js";
import { check, runOperator, variants, type Input } from "./run.js";
import { boxes, counts, input, list, values } from "./samples.js";

const runs = { numRuns: 80 };
const sizes = fc.record({
  batch: fc.integer({ min: 1, max: 3 }),
  rows: fc.integer({ min: 1, max: 8 }),
  objects: fc.integer({ min: 1, max: 4 }),
});
const flagOf = fc.constantFrom(0, 1);

describe("overlaps", () => {
  it("of boxes with the objects of their image, or of the same boxes with every image's", async () => {
    const cases = counts.chain(({ batch, rows, classes }) =>
      fc.record({
        own: boxes("N A 4", [batch, rows]),
        same: boxes("A 4", [rows]),
        objects: boxes("N G 4", [batch, classes]),
      }),
    );
    await fc.assert(
      fc.asyncProperty(cases, fc.boolean(), variants, async ({ own, same, objects }, inclusive, variant) => {
        const [batch, rows, each] = [own.shape[0]!, own.shape[1]!, objects.shape[1]!];
        const [a, b, c] = [boxesOf(own), boxesOf(objects), boxesOf(same)];
        for (const [given, box] of [
          [own, (image: number, row: number) => a[image * rows + row]!],
          [same, (_: number, row: number) => c[row]!],
        ] as const) {
          const expected: number[] = [];
          for (let image = 0; image < batch; image += 1) {
            for (let row = 0; row < rows; row += 1) {
              for (let object = 0; object < each; object += 1) {
                expected.push(iou(box(image, row), b[image * each + object]!, one({ inclusive })));
              }
            }
          }
          const result = [tensor([batch, rows, each], expected)];
          await check("box_iou", [given, objects], { inclusive }, result, variant, 1e-6);
        }
      }),
      runs,
    );
  });

  it("count the last pixel of boxes that include it", async () => {
    const [box, object] = [input("A 4", [1, 4], [0, 0, 9, 9]), input("N G 4", [1, 2, 4], [5, 0, 9, 9, 9, 9, 12, 12])];
    const [exclusive] = await runOperator("box_iou", [box, object], { inclusive: false });
    const [inclusive] = await runOperator("box_iou", [box, object], { inclusive: true });
    expect(exclusive!.data).toEqual([36 / 81, 0].map(Math.fround));
    expect(inclusive!.data).toEqual([50 / 100, 1 / 115].map(Math.fround));
  });
});

/** Sixteenths: the same in every precision, and often the same. */
const overlap = fc.oneof(
  fc.integer({ min: 0, max: 16 }).map((each) => each / 16),
  fc.constant(0),
);

const rules = fc.record({
  thresholds: fc.constantFrom(
    [0.75, 0.25, 0],
    [0.5, 0.5, 0],
    [0.5, 0.5, 0.125],
    [1, 0.0625, 0.0625],
    [0.625, 0.5, 0.25],
  ),
  best: fc.constantFrom("none", "positive", "own"),
});

const cases = sizes.chain(({ batch, rows, objects }) =>
  fc.record({
    overlaps: values("N A G", [batch, rows, objects], overlap),
    present: values("N G", [batch, objects], flagOf),
    own: values("N A", [batch, rows], flagOf),
    same: values("A", [rows], flagOf),
    which: fc.constantFrom("all", "own", "same"),
  }),
);

describe("boxes", () => {
  it("are of the object that they overlap most, of the background, or of neither", async () => {
    await fc.assert(
      fc.asyncProperty(cases, rules, variants, async (given, { thresholds, best }, variant) => {
        const [positive, negative, lowest] = thresholds as [number, number, number];
        const attributes = { positive, negative, lowest, best };
        const { overlaps, present, own, same, which } = given;
        const [batch, rows, objects] = overlaps.shape as [number, number, number];
        const masks = { all: [], own: [own], same: [same] }[which] as readonly Input[];
        const found = Array.from({ length: batch }, (_, image) => {
          const may = { all: undefined, own: rowsOf(own)[image], same: same.data }[which];
          const table = rowsOf(overlaps).slice(image * rows, (image + 1) * rows);
          return matched(table, rowsOf(present, objects)[image]!, attributes, may);
        });
        const expected = [
          tensor(
            [batch, rows],
            found.flatMap(({ labels }) => labels),
          ),
          integers(
            [batch, rows],
            found.flatMap((each) => each.objects),
          ),
        ];
        await check("match", [overlaps, present, ...masks], attributes, expected, variant);
      }),
      { numRuns: 300 },
    );
  });

  // tests/modeling/test_matcher.py of Detectron2; theirs has a row for each object.
  it("are those of Detectron2's example", async () => {
    const quality = [0.15, 0.45, 0.2, 0.6, 0.3, 0.65, 0.05, 0.1, 0.05, 0.4, 0.25, 0.4];
    const turned = [0, 1, 2, 3].flatMap((box) => [0, 1, 2].map((object) => Math.fround(quality[object * 4 + box]!)));
    const overlaps = input("N A G", [1, 4, 3], turned);
    const present = input("N G", [1, 3], [1, 1, 1]);
    const attributes = { positive: 0.7, negative: 0.3, best: "positive" };
    const expected = [tensor([1, 4], [-1, 1, 0, 1]), integers([1, 4], [1, 1, 2, 0])];
    await check("match", [overlaps, present], attributes, expected, { opset: 17, open: true });
  });

  it("of an image without objects are all background, or nothing where that has a least overlap", async () => {
    const overlaps = input("N A G", [2, 3, 2], [0, 0, 0.5, 0.25, 1, 0, 0, 0, 0.5, 0.25, 1, 0]);
    const present = input("N G", [2, 2], [0, 0, 1, 1]);
    for (const best of ["none", "positive", "own"]) {
      const rule = { positive: 0.75, negative: 0.25, best };
      const [labels] = await runOperator("match", [overlaps, present], rule);
      expect(labels!.data.slice(0, 3)).toEqual([0, 0, 0]);
      const [least] = await runOperator("match", [overlaps, present], { ...rule, lowest: 0.125 });
      expect(least!.data.slice(0, 3)).toEqual([-1, -1, -1]);
    }
  });

  it("inside of their image are told, whatever reaches over its border", async () => {
    const inside = counts.chain(({ batch, rows }) =>
      fc.record({
        own: boxes("N A 4", [batch, rows]),
        same: boxes("A 4", [rows]),
        extent: values("N 1 2", [batch, 1, 2], fc.integer({ min: 5, max: 30 })),
      }),
    );
    const how = fc.record({ border: fc.integer({ min: 0, max: 3 }), inclusive: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(inside, how, variants, async ({ own, same, extent }, attributes, variant) => {
        const [batch, rows] = own.shape as [number, number];
        const { border, inclusive } = attributes;
        const isInside = ([x1, y1, x2, y2]: readonly number[], [height, width]: readonly number[]): number => {
          // The pixels that a box covers end behind its last.
          const [right, bottom] = inclusive ? [x2! + 1, y2! + 1] : [x2!, y2!];
          const from = Math.min(x1!, y1!) >= -border;
          return from && right <= width! + border && bottom <= height! + border ? 1 : 0;
        };
        const of = rowsOf(extent);
        const each = rowsOf(own).map((box, at) => isInside(box, of[Math.floor(at / rows)]!));
        await check("boxes_inside", [own, extent], attributes, [tensor([batch, rows], each)], variant);
        const all = of.flatMap((size) => rowsOf(same).map((box) => isInside(box, size)));
        await check("boxes_inside", [same, extent], attributes, [tensor([batch, rows], all)], variant);
      }),
      runs,
    );
  });

  it("have masks by their labels, of any rank", async () => {
    const labelled = fc.constantFrom([5], [2, 4], [2, 3, 2]).chain((shape) =>
      list(
        fc.constantFrom(-1, 0, 1),
        shape.reduce((a, b) => a * b, 1),
      ).map((data) => ({ shape, data })),
    );
    await fc.assert(
      fc.asyncProperty(labelled, variants, async ({ shape, data }, variant) => {
        const given = input(["N", "A", "S"].slice(0, shape.length).join(" "), shape, data);
        const masks = [(label: number) => label === 1, (label: number) => label !== -1].map((is) =>
          tensor(
            shape,
            data.map((label) => (is(label) ? 1 : 0)),
          ),
        );
        await check("label_masks", [given], {}, masks, variant);
      }),
      { numRuns: 30 },
    );
  });
});
