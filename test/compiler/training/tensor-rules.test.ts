/** Gradient rules of the operators on whole tensors, against central differences of what ONNX Runtime computes. */
import { describe, expect, it } from "vitest";
import { tensor, value } from "../../../compiler/ir/build.js";
import { node } from "../../../compiler/ops/node.js";
import type { Attributes, Graph } from "../../../compiler/ir/types.js";
import { uniform } from "../../support/oracle-weights.js";
import { runGraph, type Tensor } from "../emit/run.js";
import { SPAN } from "../ops/graphs.js";
import { gradientGraph } from "./graphs.js";

interface Case {
  readonly op: string;
  readonly shapes: readonly (readonly number[])[];
  readonly attributes?: Attributes;
  /** Inputs of which only the shape counts. */
  readonly shapesOnly?: readonly string[];
}

const CASES: readonly Case[] = [
  ...["plus", "minus", "times", "over", "smaller"].flatMap((op): Case[] => [
    {
      op,
      shapes: [
        [2, 3],
        [2, 3],
      ],
    },
    {
      op,
      shapes: [
        [2, 3, 4],
        [1, 3, 1],
      ],
    },
    {
      op,
      shapes: [
        [1, 3],
        [2, 1],
      ],
    },
  ]),
  ...["exp", "log", "sqrt", "erf"].map((op): Case => ({ op, shapes: [[3, 5]] })),
  { op: "affine", shapes: [[4]], attributes: { scale: -3, offset: 2 } },
  { op: "power", shapes: [[4]], attributes: { exponent: -0.5 } },
  { op: "sum", shapes: [[2, 3, 4]], attributes: { axes: [0, 2], keep: false } },
  { op: "mean", shapes: [[2, 3, 4]], attributes: { axes: [1], keep: true } },
  { op: "reshape", shapes: [[2, 6]], attributes: { shape: [3, 4] } },
  { op: "expand", shapes: [[2, 1, 3]], attributes: { shape: [2, 4, 3] } },
  { op: "transpose", shapes: [[2, 3, 4]], attributes: { order: [2, 0, 1] } },
  ...[true, false].flatMap((left) =>
    [true, false].map((right): Case => ({
      op: "matmul",
      shapes: [left ? [2, 4, 3] : [2, 3, 4], right ? [5, 4] : [4, 5]].map((shape, index) =>
        index === 1 ? [1, ...shape] : shape,
      ),
      attributes: { left, right },
    })),
  ),
  {
    op: "matmul",
    shapes: [
      [4, 3],
      [4, 5],
    ],
    attributes: { left: true, right: false },
  },
  { op: "slice", shapes: [[3, 4, 5]], attributes: { axes: [0, 2], from: [1, 0], to: [3, 4] } },
  {
    op: "crop_like",
    shapes: [
      [2, 2, 6, 5],
      [1, 3, 3, 4],
    ],
    shapesOnly: ["x1"],
  },
  ...["nearest", "bilinear"].map((mode): Case => ({
    op: "resize_like",
    shapes: [
      [2, 2, 3, 5],
      [1, 1, 7, 4],
    ],
    attributes: { mode },
    shapesOnly: ["x1"],
  })),
];

function graphOf({ op, shapes, attributes = {} }: Case): Graph {
  const inputs = shapes.map((shape, index) => ({ name: `x${index}`, value: value(tensor(shape), `x${index}`) }));
  const made = node(
    op,
    inputs.map((input) => input.value),
    attributes,
    op,
    SPAN,
  );
  const outputs = [{ name: "y", value: made.outputs[0]! }];
  return { name: op, inputs, outputs, parameters: [], constants: [], nodes: [made] };
}

/** Positive, away from the edges of logarithms, roots and quotients. */
const random = (name: string, shape: readonly number[]): Tensor => ({
  shape,
  data: uniform(
    name,
    shape.reduce((a, b) => a * b, 1),
    0.5,
    2,
  ),
});

describe("gradients of operators on tensors", () => {
  it.each(CASES)("$op of $shapes $attributes", async (each) => {
    const graph = graphOf(each);
    const inputs = Object.fromEntries(each.shapes.map((shape, index) => [`x${index}`, random(`x${index}`, shape)]));
    const dy = random("dy", graph.outputs[0]!.value.type.shape as readonly number[]);
    const gradients = await runGraph(gradientGraph(graph), { ...inputs, dy });
    for (const name of Object.keys(inputs).filter((input) => !each.shapesOnly?.includes(input))) {
      const { shape, data } = inputs[name]!;
      const direction = uniform(`direction ${name}`, data.length, -1, 1);
      const step = 0.01;
      const loss = async (sign: number): Promise<number> => {
        const moved = { shape, data: data.map((x, at) => x + sign * step * direction[at]!) };
        const { y } = await runGraph(graph, { ...inputs, [name]: moved });
        return y!.data.reduce((sum, x, at) => sum + x * dy.data[at]!, 0);
      };
      const expected = ((await loss(1)) - (await loss(-1))) / (2 * step);
      const gradient = gradients[`gradient.${name}`]!;
      expect(gradient.shape).toEqual(shape);
      const actual = gradient.data.reduce((sum, x, at) => sum + x * direction[at]!, 0);
      expect(Math.abs(actual - expected), `${actual} for ${expected}`).toBeLessThan(
        3e-3 * Math.max(1, Math.abs(expected)),
      );
    }
  });
});
