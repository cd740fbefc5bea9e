import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Attributes } from "../../../../compiler/ir/types.js";
import {
  detectron2Anchors,
  paperAnchors,
  placed,
  torchvisionAnchors,
} from "../../../runtime/detection/reference/anchors.js";
import type { Box } from "../../../runtime/detection/reference/boxes.js";
import {
  PAPER_ANCHORS,
  PAPER_COCO_ANCHORS,
  TORCHVISION_ANCHORS,
} from "../../../runtime/detection/reference/published.js";
import { indicesOf, rowsOf, tensor } from "./reference.js";
import { operator } from "../../../../compiler/ops/index.js";
import { check, runOperator, variants } from "./run.js";
import { input, values } from "./samples.js";

const zeros = (sizes: string, shape: readonly number[]) =>
  input(sizes, shape, new Array<number>(shape.reduce((a, b) => a * b, 1)).fill(0));

/** The anchors of a map of one cell. */
async function cell(attributes: Attributes): Promise<number[][]> {
  const inputs = [zeros("N C h w", [1, 1, 1, 1]), zeros("N C H W", [1, 3, 16, 16])];
  const [anchors] = await runOperator("anchors", inputs, { step: "fixed", stride: [16, 16], ...attributes });
  return rowsOf(anchors!);
}

describe("anchor tables", () => {
  it("of py-faster-rcnn are the nine of its source, and three more on COCO", async () => {
    const how = { ratios: [0.5, 1, 2], order: "by_ratio", rounding: "base" };
    expect(await cell({ ...how, sizes: [128, 256, 512] })).toEqual(PAPER_ANCHORS);
    const four = await cell({ ...how, sizes: [64, 128, 256, 512] });
    expect([four[0], four[4], four[8]]).toEqual(PAPER_COCO_ANCHORS);
    expect(four.filter((_, index) => index % 4 !== 0)).toEqual(PAPER_ANCHORS);
  });

  it("of Detectron2 are not rounded and go by size", async () => {
    const how = { sizes: [32, 64, 128, 256, 512], ratios: [0.5, 1, 2], order: "by_size", rounding: "none" };
    const table = await cell(how);
    expect(table.length).toBe(15);
    expect(table[0]!.map((corner) => corner.toFixed(4))).toEqual(["-22.6274", "-11.3137", "22.6274", "11.3137"]);
    expect(table[1]).toEqual([-16, -16, 16, 16]);
    expect(table[4]).toEqual([-32, -32, 32, 32]);
  });

  it("of torchvision are rounded at the corners, halves to even", async () => {
    const how = { ratios: [0.5, 1, 2], order: "by_ratio", rounding: "corners" };
    expect(await cell({ ...how, sizes: [32] })).toEqual(TORCHVISION_ANCHORS);
    expect(await cell({ ...how, sizes: [33, 35], ratios: [1] })).toEqual([
      [-16, -16, 16, 16],
      [-18, -18, 18, 18],
    ]);
  });
});

describe("anchors", () => {
  it("in pairs have a ratio each, so many pixels apart, from half a step on: SSD's default boxes", async () => {
    const how = fc.record({
      map: fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 })),
      pairs: fc.array(fc.tuple(fc.constantFrom(21, 30.7, 153), fc.constantFrom(1, 2, 1 / 3)), {
        minLength: 1,
        maxLength: 4,
      }),
      step: fc.constantFrom([8], [100], [16, 8]),
      offset: fc.constantFrom(0, 0.5),
    });
    await fc.assert(
      fc.asyncProperty(how, variants, async ({ map: [height, width], pairs, step, offset }, variant) => {
        const inputs = [zeros("N C h w", [1, 2, height, width]), zeros("N C H W", [1, 3, 300, 300])];
        const [stepY, stepX] = [step[0], step.at(-1)!];
        const expected = indicesOf([height, width]).flatMap(([row, column]) =>
          pairs.flatMap(([size, ratio]) => {
            const [x, y] = [(column! + offset) * stepX, (row! + offset) * stepY];
            const [w, h] = [size / Math.sqrt(ratio), size * Math.sqrt(ratio)];
            return [x - w / 2, y - h / 2, x + w / 2, y + h / 2];
          }),
        );
        const attributes = {
          sizes: pairs.map(([size]) => size),
          ratios: pairs.map(([, ratio]) => ratio),
          ...{ rounding: "none", order: "paired", step, offset, stride: [4, 4] },
        };
        const shape = [height * width * pairs.length, 4];
        await check("anchors", inputs, attributes, [tensor(shape, expected)], variant, 1e-5);
      }),
      { numRuns: 40 },
    );
  });

  it("in pairs are refused where sizes and ratios are not as many, and steps of three numbers", () => {
    const map = { dtype: "float32", shape: [1, 2, 4, 4] } as const;
    const infer = (attributes: Attributes) => () => operator("anchors").infer([map, map], attributes);
    const how = { sizes: [32, 64], ratios: [1, 2], rounding: "none", order: "paired", step: "grid" };
    expect(infer({ ...how, ratios: [1] })).toThrow("as many ratios as sizes, not 1 for 2");
    expect(infer({ ...how, step: [1, 2, 3] })).toThrow("`step` is one number");
    expect(infer(how)()).toEqual([{ dtype: "float32", shape: [32, 4] }]);
  });

  const tables: Readonly<Record<string, (sizes: number[], ratios: number[]) => Box[]>> = {
    base: (sizes, ratios) =>
      paperAnchors(
        sizes.map((size) => size / 16),
        ratios,
      ),
    none: detectron2Anchors,
    corners: torchvisionAnchors,
  };

  it("are at every cell, row by row", async () => {
    const how = fc.record({
      map: fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 })),
      extra: fc.tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 40 })),
      rounding: fc.constantFrom("base", "none", "corners"),
      sizes: fc.uniqueArray(fc.constantFrom(16, 32, 33, 64, 128), { minLength: 1, maxLength: 3 }),
      ratios: fc.uniqueArray(fc.constantFrom(0.5, 1, 2, 0.37), { minLength: 1, maxLength: 3 }),
      step: fc.constantFrom("fixed", "grid"),
      stride: fc.constantFrom([16, 16], [8, 4]),
    });
    await fc.assert(
      fc.asyncProperty(how, variants, async ({ map, extra, rounding, step, stride, ...table }, variant) => {
        const [height, width] = map;
        const [H, W] = [height + extra[0], width + extra[1]];
        const order = rounding === "none" ? "by_size" : "by_ratio";
        const inputs = [zeros("N C h w", [2, 3, height, width]), zeros("N C H W", [2, 3, H, W])];
        const by =
          step === "fixed" ? { y: stride[0], x: stride[1] } : { y: Math.floor(H / height), x: Math.floor(W / width) };
        const expected = placed(tables[rounding]!(table.sizes, table.ratios), { height, width }, by);
        const attributes = { ...table, rounding, order, step, stride };
        await check("anchors", inputs, attributes, [tensor([expected.length, 4], expected.flat())], variant, 1e-6);
      }),
      { numRuns: 40 },
    );
  });
});

describe("maps in the anchors' order", () => {
  const maps = fc
    .record({
      batch: fc.integer({ min: 1, max: 3 }),
      anchors: fc.integer({ min: 1, max: 3 }),
      values: fc.constantFrom(2, 4),
    })
    .chain(({ batch, anchors, values: each }) =>
      values("N C h w", [batch, anchors * each, 2, 3], fc.integer({ min: -99, max: 99 })).map((map) => ({
        map,
        anchors,
        each,
      })),
    );

  it("are the values of each anchor together", async () => {
    await fc.assert(
      fc.asyncProperty(maps, variants, async ({ map, anchors, each }, variant) => {
        const batch = map.shape[0]!;
        const expected = indicesOf([batch, 2, 3, anchors, each]).map(
          ([n, y, x, a, k]) => map.data[((n! * anchors * each + a! * each + k!) * 2 + y!) * 3 + x!]!,
        );
        const shape = [batch, 6 * anchors, each];
        await check("anchor_values", [map], { values: each }, [tensor(shape, expected)], variant);
      }),
    );
  });

  it("are what is said of each class at each anchor, classes as channels", async () => {
    await fc.assert(
      fc.asyncProperty(maps, variants, async ({ map, anchors, each: classes }, variant) => {
        const batch = map.shape[0]!;
        const expected = indicesOf([batch, classes, 2, 3, anchors]).map(
          ([n, k, y, x, a]) => map.data[((n! * anchors * classes + a! * classes + k!) * 2 + y!) * 3 + x!]!,
        );
        const shape = [batch, classes, 6 * anchors];
        await check("anchor_classes", [map], { classes }, [tensor(shape, expected)], variant);
      }),
    );
  });

  it("are logits of one channel, or of the background's and the object's", async () => {
    await fc.assert(
      fc.asyncProperty(maps, fc.boolean(), variants, async ({ map }, softmax, variant) => {
        const [batch, channels] = map.shape as [number, number];
        const anchors = softmax ? channels / 2 : channels;
        const at = (n: number, c: number, y: number, x: number) => map.data[((n * channels + c) * 2 + y) * 3 + x]!;
        const expected = indicesOf([batch, 2, 3, anchors]).map(([n, y, x, a]) =>
          softmax ? at(n!, anchors + a!, y!, x!) - at(n!, a!, y!, x!) : at(n!, a!, y!, x!),
        );
        const kind = softmax ? "softmax" : "sigmoid";
        await check("anchor_logits", [map], { kind }, [tensor([batch, 6 * anchors], expected)], variant);
      }),
    );
  });

  it("are split by class, without rows too", async () => {
    for (const rows of [0, 3]) {
      const x = input(
        "R K",
        [rows, 8],
        Array.from({ length: rows * 8 }, (_, index) => index),
      );
      for (const open of [false, true]) {
        await check("split_classes", [x], {}, [tensor([rows, 2, 4], x.data)], { opset: 17, open });
      }
    }
  });
});
