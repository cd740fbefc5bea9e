/** Losses: their values and gradients beside PyTorch's (test/oracle/losses_golden.py) and central differences in float64. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { tensor, value } from "../../../compiler/ir/build.js";
import type { Attributes, Graph, Value } from "../../../compiler/ir/types.js";
import { recorder } from "../../../compiler/ops/recorder.js";
import { LOSS_OPERATORS } from "../../../compiler/ops/losses/index.js";
import { ShapeError } from "../../../compiler/ops/operator.js";
import { verify } from "../../../compiler/ops/verify.js";
import { differentiate } from "../../../compiler/passes/differentiate.js";
import { uniform } from "../../support/oracle-weights.js";
import { runGraph } from "../emit/run.js";

interface Golden {
  readonly op: string;
  readonly attributes: Attributes;
  /** [6, 5] */
  readonly target: readonly number[];
  readonly count: number | null;
  readonly loss: number;
  readonly gradient: readonly number[];
}

const file = new URL("../../golden/training/losses.json", import.meta.url);
const GOLDENS = JSON.parse(readFileSync(file, "utf8")) as readonly Golden[];

/** A loss with its gradient as outputs: of predictions of a shape, a target [6, 5], and perhaps a count. */
function lossGraph(op: string, attributes: Attributes, shape: readonly number[], hasCount: boolean): Graph {
  const inputs = [value(tensor(shape), "predictions"), value(tensor([6, 5]), "target")];
  if (hasCount) inputs.push(value(tensor([]), "count"));
  const record = recorder({ path: "loss" });
  const [loss] = record.apply(op, inputs, attributes) as [Value];
  const seed = record.constant(Float32Array.of(2), []);
  const [gradient] = differentiate({ nodes: [...record.nodes] }, loss, [inputs[0]!], seed, record);
  const named = (each: Value) => ({ name: each.name, value: each });
  return {
    name: op,
    inputs: inputs.map(named),
    outputs: [
      { name: "loss", value: loss },
      { name: "gradient", value: gradient! },
    ],
    parameters: [],
    constants: record.constants,
    nodes: record.nodes,
  };
}

async function run({ op, attributes, target, count }: Golden, predictions: Float32Array, shape: readonly number[]) {
  const graph = lossGraph(op, attributes, shape, count !== null);
  verify(graph);
  return runGraph(graph, {
    predictions: { shape, data: predictions },
    target: { shape: [6, 5], data: Float32Array.from(target) },
    ...(count !== null && { count: { shape: [], data: Float32Array.of(count) } }),
  });
}

/** A loss of one value, in float64. */
const REFERENCE: Readonly<Record<string, (x: number, target: number, attributes: Attributes) => number>> = {
  binary_cross_entropy: (x, t) => Math.max(x, 0) - x * t + Math.log1p(Math.exp(-Math.abs(x))),
  focal(x, t, { alpha, gamma }) {
    const p = 1 / (1 + Math.exp(-x));
    const share = (alpha as number) * t + (1 - (alpha as number)) * (1 - t);
    const wrong = p * (1 - t) + (1 - p) * t;
    return share * wrong ** (gamma as number) * REFERENCE["binary_cross_entropy"]!(x, t, {});
  },
  smooth_l1(x, t, { beta }) {
    const [d, b] = [Math.abs(x - t), beta as number];
    return d < b ? (d * d) / (2 * b) : d - b / 2;
  },
};

describe.each(GOLDENS)("$op $attributes divided by $count", (golden) => {
  const predictions = uniform("predictions", 30, -4, 4);

  it.each([
    ["[N, classes]", [6, 5]],
    ["[N, classes, 1, 1]", [6, 5, 1, 1]],
  ])("is PyTorch's, of predictions %s", async (_, shape) => {
    const { loss, gradient } = await run(golden, predictions, shape);
    expect(loss!.data[0]).toBeCloseTo(golden.loss, 5);
    expect(gradient!.shape).toEqual(shape);
    gradient!.data.forEach((each, at) => expect(each).toBeCloseTo(2 * golden.gradient[at]!, 6));
  });

  it("has the gradient of its reference, also far out", async () => {
    const far = uniform("far", 30, -40, 40).map((x, at) => (at % 7 === 0 ? 3 * x : x));
    const { gradient } = await run(golden, far, [6, 5]);
    const { attributes, target, count } = golden;
    const reference = REFERENCE[golden.op]!;
    const divisor = count === null ? 30 : Math.max(1, count);
    far.forEach((x, at) => {
      const step = 1e-5;
      const [t] = [Math.fround(target[at]!)];
      const slope = (reference(x + step, t, attributes) - reference(x - step, t, attributes)) / (2 * step);
      const expected = (2 * slope) / divisor;
      expect(Math.abs(gradient!.data[at]! - expected), `at ${x}`).toBeLessThan(1e-5 * Math.max(1, Math.abs(expected)));
    });
  });
});

describe("losses", () => {
  it("are all held to a reference", () => {
    const words = LOSS_OPERATORS.filter(({ layer }) => layer).map(({ name }) => name);
    // cross_entropy is in training/recipe-settings.test.ts.
    expect(words.filter((name) => name !== "cross_entropy").sort()).toEqual(Object.keys(REFERENCE).sort());
  });

  it("are numbers at any logit", async () => {
    const infinite = Float32Array.from({ length: 30 }, (_, at) => (at % 2 ? 1 : -1) * 10 ** (at % 30));
    for (const golden of GOLDENS.filter(({ op }) => op !== "smooth_l1")) {
      const { loss, gradient } = await run(golden, infinite, [6, 5]);
      expect(Number.isFinite(loss!.data[0]), golden.op).toBe(true);
      expect(
        gradient!.data.every((each) => Number.isFinite(each)),
        golden.op,
      ).toBe(true);
    }
  });

  it("compare what is alike", () => {
    const wrong = () => lossGraph("binary_cross_entropy", {}, [6, 4], false);
    expect(wrong).toThrow(ShapeError);
    expect(wrong).toThrow("binary_cross_entropy compares predictions [6, 4] with a target [6, 5]");
  });
});
