/** Gradients of pooled regions with respect to the features, against central differences of the plain loops. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Attributes } from "../../../../compiler/ir/types.js";
import { dropDeadCode } from "../../../../compiler/passes/drop-dead-code.js";
import { uniform } from "../../../support/oracle-weights.js";
import { emitBytes } from "../../emit/run.js";
import { gradientGraph } from "../../training/graphs.js";
import { isDelicate, roiAlign, roiPool } from "./pooled.js";
import { tensor } from "./reference.js";
import { expectSame, operatorGraph, run, type Input, type Tensor } from "./run.js";
import { input, regions } from "./samples.js";

type Pooling = (features: Tensor, of: Tensor, attributes: Attributes) => Tensor;

/** The gradient of sum(dy * op(features, regions)) with respect to the features, as ONNX Runtime has it. */
async function gradient(op: string, features: Input, of: Input, dy: Tensor, attributes: Attributes): Promise<Tensor> {
  const graph = gradientGraph(operatorGraph(op, [features, of], attributes, false), (name) => name === "x1");
  const { inputs, ...rest } = dropDeadCode.run(graph, {});
  const named = inputs.map((each, index) => ({ ...each, name: `x${index}` }));
  const [result] = await run(emitBytes({ ...rest, inputs: named }), [features, of, dy]);
  return result!;
}

/** The same by moving one value after the other. */
function differences(pooling: Pooling, features: Tensor, of: Tensor, dy: Tensor, attributes: Attributes): Tensor {
  const step = 1e-4;
  const loss = (at: number, way: number): number => {
    const data = features.data.with(at, features.data[at]! + way * step);
    const y = pooling({ ...features, data }, of, attributes).data;
    return y.reduce((sum, each, index) => sum + each * dy.data[index]!, 0);
  };
  const slopes = features.data.map((_, at) => (loss(at, 1) - loss(at, -1)) / (2 * step));
  return tensor(features.shape, slopes);
}

const quarter = fc.integer({ min: -8, max: 60 }).map((value_) => value_ / 4);
const length = fc.integer({ min: 0, max: 30 }).map((value_) => Math.fround(value_ / 4 + 0.03));
const box = fc
  .tuple(quarter, quarter, length, length)
  .map(([x, y, width, height]) => [x, y, Math.fround(x + width), Math.fround(y + height)]);
const side = fc.integer({ min: 1, max: 3 });
const cases = fc
  .record({
    map: fc.tuple(
      fc.integer({ min: 1, max: 2 }),
      fc.constant(2),
      fc.integer({ min: 5, max: 7 }),
      fc.integer({ min: 5, max: 7 }),
    ),
    rows: fc.integer({ min: 0, max: 4 }),
    size: fc.tuple(side, side).map((both): number[] => both),
    seed: fc.integer({ min: 0, max: 99 }),
  })
  .chain(({ map, rows, size, seed }) =>
    regions(rows, map[0], box).map((of) => {
      const count = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
      const shape = [rows, map[1], ...size];
      return {
        // All different: nowhere is the largest of a bin in doubt.
        features: input("n C h w", map, [...uniform(`features ${seed}`, count(map), -1, 1)]),
        of,
        dy: tensor(shape, [...uniform(`dy ${seed}`, count(shape), -1, 1)]),
        size,
      };
    }),
  );

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

  it("of roi_align, whatever its points", async () => {
    const how = fc.record({ sampling: fc.integer({ min: 0, max: 2 }), aligned: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(cases, how, async ({ features, of, dy, size }, points) => {
        const attributes = { size, scale: [0.25, 0.5], ...points };
        fc.pre(!isDelicate(features, of, attributes));
        const expected = differences(roiAlign, features, of, dy, attributes);
        expectSame(await gradient("roi_align", features, of, dy, attributes), expected, 1e-5, "gradient");
      }),
      { numRuns: 60 },
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
