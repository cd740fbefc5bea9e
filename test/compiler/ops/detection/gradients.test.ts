/**
 * Gradients against central differences of plain loops: of pooled regions with respect to the features, and of what
 * rearranges what heads say for their losses.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Attributes } from "../../../../compiler/ir/types.js";
import type { Device } from "../../../../compiler/device.js";
import { withAlgorithms } from "../../../../compiler/passes/choose-algorithms.js";
import { dropDeadCode } from "../../../../compiler/passes/drop-dead-code.js";
import { uniform } from "../../../support/oracle-weights.js";
import { emitBytes } from "../../emit/run.js";
import { gradientGraph } from "../../training/graphs.js";
import { isDelicate, roiAlign, roiPool } from "./pooled.js";
import { indicesOf, tensor } from "./reference.js";
import { expectSame, operatorGraph, run, type Input, type Tensor } from "./run.js";
import { indices, input, regions } from "./samples.js";

type Pooling = (features: Tensor, of: Tensor, attributes: Attributes) => Tensor;

/** The gradients of sum(dy * op(...)) with respect to inputs (by default the first), as ONNX Runtime has them. */
async function gradients(
  op: string,
  inputs: readonly Input[],
  dy: Tensor,
  attributes: Attributes,
  wrt: readonly number[] = [0],
  device?: Device,
): Promise<Tensor[]> {
  const wanted = new Set(wrt.map((index) => `x${index}`));
  const whole = gradientGraph(operatorGraph(op, inputs, attributes, false), (name) => !wanted.has(name));
  const graph = device === undefined ? whole : withAlgorithms(whole, device);
  const { inputs: needed, ...rest } = dropDeadCode.run(graph, {});
  const named = needed.map((each) => ({ ...each, name: each.name === "dy" ? `x${inputs.length}` : each.name }));
  return run(emitBytes({ ...rest, inputs: named }), [...inputs, dy]);
}

async function gradient(
  op: string,
  features: Input,
  of: Input,
  dy: Tensor,
  attributes: Attributes,
  device?: Device,
): Promise<Tensor> {
  return (await gradients(op, [features, of], dy, attributes, [0], device))[0]!;
}

/** The same by moving one value of x after the other. */
function slopes(x: Tensor, dy: Tensor, y: (x: Tensor) => Tensor): Tensor {
  const step = 1e-4;
  const loss = (at: number, way: number): number => {
    const moved = y({ ...x, data: x.data.with(at, x.data[at]! + way * step) }).data;
    return moved.reduce((sum, each, index) => sum + each * dy.data[index]!, 0);
  };
  return tensor(
    x.shape,
    x.data.map((_, at) => (loss(at, 1) - loss(at, -1)) / (2 * step)),
  );
}

const differences = (pooling: Pooling, features: Tensor, of: Tensor, dy: Tensor, attributes: Attributes): Tensor =>
  slopes(features, dy, (x) => pooling(x, of, attributes));

const quarter = fc.integer({ min: -8, max: 60 }).map((value_) => value_ / 4);
const length = fc.integer({ min: 0, max: 30 }).map((value_) => Math.fround(value_ / 4 + 0.03));
const box = fc
  .tuple(quarter, quarter, length, length)
  .map(([x, y, width, height]) => [x, y, Math.fround(x + width), Math.fround(y + height)]);
const side = fc.integer({ min: 1, max: 3 });
const cellsAlong = fc.integer({ min: 5, max: 7 });
const someRegions = (sizes: readonly fc.Arbitrary<number>[], most: number, each: fc.Arbitrary<number[]>) =>
  fc
    .record({
      map: fc.tuple(fc.integer({ min: 1, max: 3 }), ...sizes).map((shape) => shape as [number, number, number, number]),
      rows: fc.integer({ min: 0, max: most }),
      size: fc.tuple(side, side).map((both): number[] => both),
      seed: fc.integer({ min: 0, max: 99 }),
    })
    .chain(({ map, rows, size, seed }) =>
      regions(rows, map[0], each).map((of) => {
        const count = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
        const shape = [rows, map[1], ...size];
        return {
          features: input("n C h w", map, spread(uniform(`features ${seed}`, count(map), -1, 1))),
          of,
          dy: tensor(shape, [...uniform(`dy ${seed}`, count(shape), -1, 1)]),
          size,
        };
      }),
    );
/** Values between -1 and 1 in the order of these, evenly apart: nowhere does a step change which is the largest of a bin. */
function spread(values: Iterable<number>): number[] {
  const all = [...values];
  const rank = new Map([...all].sort((a, b) => a - b).map((value_, index) => [value_, index]));
  return all.map((value_) => Math.fround((2 * (rank.get(value_)! + 0.5)) / all.length - 1));
}

const cases = someRegions([fc.constant(2), cellsAlong, cellsAlong], 4, box);

describe("the features' gradient", () => {
  it("of roi_pool", async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ features, of, dy, size }) => {
        const attributes = { size, scale: [0.25, 0.25] };
        const expected = differences(roiPool, features, of, dy, attributes);
        expectSame(await gradient("roi_pool", features, of, dy, attributes), expected, 1e-5, "gradient");
      }),
      { numRuns: 40 },
    );
  });

  const how = fc.record({ sampling: fc.integer({ min: 0, max: 2 }), aligned: fc.boolean() });

  it("of roi_align, whatever its points, of all images at once and image by image", async () => {
    await fc.assert(
      fc.asyncProperty(cases, how, async ({ features, of, dy, size }, points) => {
        const attributes = { size, scale: [0.25, 0.5], ...points };
        fc.pre(!isDelicate(features, of, attributes));
        const expected = differences(roiAlign, features, of, dy, attributes);
        for (const device of ["webgpu", "cpu"] as const) {
          expectSame(await gradient("roi_align", features, of, dy, attributes, device), expected, 1e-5, device);
        }
      }),
      { numRuns: 60 },
    );
  });

  it("of roi_align on wide maps, by tiles", async () => {
    const across = fc.integer({ min: -8, max: 440 }).map((value_) => value_ / 2);
    const wide = fc
      .tuple(across, quarter, fc.oneof(length, across.map(Math.abs)), length)
      .map(([x, y, width, height]) => [x, y, Math.fround(x + width), Math.fround(y + height)]);
    await fc.assert(
      fc.asyncProperty(
        someRegions([fc.constant(1), fc.constant(3), fc.constantFrom(96, 100)], 24, wide),
        how,
        async ({ features, of, dy, size }, points) => {
          const attributes = { size, scale: [0.25, 0.5], ...points };
          fc.pre(!isDelicate(features, of, attributes));
          const expected = differences(roiAlign, features, of, dy, attributes);
          expectSame(await gradient("roi_align", features, of, dy, attributes, "cpu"), expected, 1e-5, "gradient");
        },
      ),
      { numRuns: 25 },
    );
  });

  it("of roi_pool goes to the first of equals, by rows, and to nothing from an empty bin", async () => {
    // Cells 1 to 3 of 4 x 4, all the same; then a region outside of the map.
    const features = input("n C h w", [1, 1, 4, 4], new Array<number>(16).fill(7));
    const of = input("R 5", [2, 5], [0, 1, 1, 3, 3, 0, 9, 9, 9, 9]);
    const dy = tensor([2, 1, 1, 1], [5, 3]);
    const result = await gradient("roi_pool", features, of, dy, { size: [1, 1], scale: [1, 1] });
    const expected = new Array<number>(16).fill(0).with(5, 5);
    expect(result.data).toEqual(expected);
  });
});

/** A tensor of a shape whose value at each index is made of others. */
function made(shape: readonly number[], at: (index: readonly number[]) => number): Tensor {
  return tensor(shape, indicesOf(shape).map(at));
}

/** Reads a tensor by its indices. */
function reader({ shape, data }: Tensor): (...index: readonly number[]) => number {
  return (...index) => data[index.reduce((flat, each, axis) => flat * shape[axis]! + each, 0)]!;
}

const random = (name: string, sizes: string, shape: readonly number[]): Input =>
  input(sizes, shape, [
    ...uniform(
      name,
      shape.reduce((a, b) => a * b, 1),
      -2,
      2,
    ),
  ]);

interface Rearranged {
  readonly op: string;
  readonly attributes: Attributes;
  readonly inputs: readonly Input[];
  /** Of the inputs that have gradients. */
  readonly wrt: readonly number[];
  readonly y: (x: readonly Tensor[]) => Tensor;
}

/** Two images, three places down and two across; anchors are the last of what a place has. */
const [rows, columns] = [3, 2];
const map = random("map", "N C h w", [2, 12, rows, columns]);
const cells = rows * columns;
const place = (anchor: number, each: number): readonly [number, number, number] => {
  const cell = Math.floor(anchor / each);
  return [anchor % each, Math.floor(cell / columns), cell % columns];
};

/** Four regions, of the images 1, 0, 1 and 1. */
const IMAGES = [1, 0, 0, 9, 9, 0, 0, 0, 9, 9, 1, 0, 0, 4, 4, 1, 2, 2, 8, 8];

const REARRANGED: Readonly<Record<string, Rearranged>> = {
  "anchor_values, four": {
    op: "anchor_values",
    attributes: { values: 4 },
    inputs: [map],
    wrt: [0],
    y: ([x]) =>
      made([2, cells * 3, 4], ([image, anchor, value]) => {
        const [own, row, column] = place(anchor!, 3);
        return reader(x!)(image!, own * 4 + value!, row, column);
      }),
  },
  "anchor_classes, six": {
    op: "anchor_classes",
    attributes: { classes: 6 },
    inputs: [map],
    wrt: [0],
    y: ([x]) =>
      made([2, 6, cells * 2], ([image, label, anchor]) => {
        const [own, row, column] = place(anchor!, 2);
        return reader(x!)(image!, own * 6 + label!, row, column);
      }),
  },
  "anchor_logits of a sigmoid": {
    op: "anchor_logits",
    attributes: { kind: "sigmoid" },
    inputs: [map],
    wrt: [0],
    y: ([x]) =>
      made([2, cells * 12], ([image, anchor]) => {
        const [own, row, column] = place(anchor!, 12);
        return reader(x!)(image!, own, row, column);
      }),
  },
  "anchor_logits of a softmax": {
    op: "anchor_logits",
    attributes: { kind: "softmax" },
    inputs: [map],
    wrt: [0],
    // ln(p / (1 - p)) of a softmax of two; all anchors' background stands before the first one's object.
    y: ([x]) =>
      made([2, cells * 6], ([image, anchor]) => {
        const [own, row, column] = place(anchor!, 6);
        const says = (channel: number): number => Math.exp(reader(x!)(image!, channel, row, column));
        const p = says(6 + own) / (says(own) + says(6 + own));
        return Math.log(p / (1 - p));
      }),
  },
  split_classes: {
    op: "split_classes",
    attributes: {},
    inputs: [random("deltas", "R K", [5, 12])],
    wrt: [0],
    y: ([x]) => made([5, 3, 4], ([row, label, value]) => reader(x!)(row!, 4 * label! + value!)),
  },
  flat_rows: {
    op: "flat_rows",
    attributes: {},
    inputs: [random("rows", "N S 4", [2, 3, 4])],
    wrt: [0],
    y: ([x]) => made([6, 4], ([row, value]) => reader(x!)(Math.floor(row! / 3), row! % 3, value!)),
  },
  "concat_rows of regions": {
    op: "concat_rows",
    attributes: { axis: 0 },
    inputs: [random("a", "R 4", [3, 4]), random("b", "Q 4", [2, 4]), random("c", "P 4", [1, 4])],
    wrt: [0, 1, 2],
    y: ([a, b, c]) =>
      made([6, 4], ([row, value]) => {
        if (row! < 3) return reader(a!)(row!, value!);
        return row! < 5 ? reader(b!)(row! - 3, value!) : reader(c!)(0, value!);
      }),
  },
  "concat_rows of images, one part alone with a gradient": {
    op: "concat_rows",
    attributes: { axis: 1 },
    inputs: [random("d", "N A 4", [2, 3, 4]), random("e", "N B 4", [2, 2, 4])],
    wrt: [1],
    y: ([a, b]) =>
      made([2, 5, 4], ([image, row, value]) =>
        row! < 3 ? reader(a!)(image!, row!, value!) : reader(b!)(image!, row! - 3, value!),
      ),
  },
  rows_of_image: {
    op: "rows_of_image",
    attributes: {},
    inputs: [random("scene", "N C p q", [2, 3, 1, 1]), { ...random("r", "R 5", [4, 5]), data: IMAGES }],
    wrt: [0],
    y: ([x]) => made([4, 3, 1, 1], ([row, ...rest]) => reader(x!)(IMAGES[row! * 5]!, ...rest)),
  },
  merge_levels: {
    op: "merge_levels",
    attributes: {},
    inputs: [
      random("level 2", "A C p q", [2, 3, 2, 1]),
      random("level 3", "B C p q", [3, 3, 2, 1]),
      indices("A", [2], [4, 1]),
      indices("B", [3], [0, 2, 3]),
      random("regions", "R 5", [5, 5]),
    ],
    wrt: [0, 1],
    y: ([a, b]) =>
      made([5, 3, 2, 1], ([row, ...rest]) => {
        const own = [4, 1].indexOf(row!);
        return own >= 0 ? reader(a!)(own, ...rest) : reader(b!)([0, 2, 3].indexOf(row!), ...rest);
      }),
  },
};

describe("the gradient of what heads say, as losses see it", () => {
  it.each(Object.keys(REARRANGED))("%s", async (name) => {
    const { op, attributes, inputs, wrt, y } = REARRANGED[name]!;
    const expected = y(inputs);
    const [forward] = await run(emitBytes(operatorGraph(op, inputs, attributes, false)), inputs);
    expectSame(forward!, expected, 1e-5, name);
    const dy = random(`dy of ${name}`, "", expected.shape);
    const found = await gradients(op, inputs, dy, attributes, wrt);
    expect(found).toHaveLength(wrt.length);
    for (const [index, which] of wrt.entries()) {
      const own = slopes(inputs[which]!, dy, (x) => y(inputs.with(which, { ...inputs[which]!, ...x })));
      expectSame(found[index]!, own, 1e-5, `${name}, input ${which}`);
    }
  });
});
