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
  /** By what the sum is divided; of each image, the mean of theirs. */
  readonly count: number | readonly number[] | null;
  readonly mask?: { readonly shape: readonly number[]; readonly values: readonly number[] };
  readonly loss: number;
  readonly gradient: readonly number[];
}

const file = new URL("../../golden/training/losses.json", import.meta.url);
const GOLDENS = JSON.parse(readFileSync(file, "utf8")) as readonly Golden[];

/** A loss with its gradient as outputs: of predictions of a shape, a target [6, 5], and perhaps a count and a mask. */
function lossGraph(
  op: string,
  attributes: Attributes,
  shape: readonly number[],
  count?: readonly number[],
  mask?: readonly number[],
): Graph {
  const inputs = [value(tensor(shape), "predictions"), value(tensor([6, 5]), "target")];
  if (count) inputs.push(value(tensor(count), "count"));
  if (mask) inputs.push(value(tensor(mask), "mask"));
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

const countShape = (count: Golden["count"]): readonly number[] | undefined =>
  count === null ? undefined : typeof count === "number" ? [] : [count.length];

async function run(golden: Golden, predictions: Float32Array, shape: readonly number[]) {
  const { op, attributes, target, count, mask } = golden;
  const graph = lossGraph(op, attributes, shape, countShape(count), mask?.shape);
  verify(graph);
  return runGraph(graph, {
    predictions: { shape, data: predictions },
    target: { shape: [6, 5], data: Float32Array.from(target) },
    ...(count !== null && { count: { shape: countShape(count)!, data: Float32Array.from([count].flat()) } }),
    ...(mask && { mask: { shape: mask.shape, data: Float32Array.from(mask.values) } }),
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

describe.each(GOLDENS)("$op $attributes divided by $count, mask $mask.shape", (golden) => {
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

  // What a row has to do with its others is in training/recipe-settings.test.ts.
  if (golden.op === "cross_entropy") return;

  it("has the gradient of its reference, also far out", async () => {
    const far = uniform("far", 30, -40, 40).map((x, at) => (at % 7 === 0 ? 3 * x : x));
    const { gradient } = await run(golden, far, [6, 5]);
    const { attributes, target, count } = golden;
    const reference = REFERENCE[golden.op]!;
    const { mask } = golden;
    far.forEach((x, at) => {
      const row = Math.floor(at / 5);
      const divisor =
        count === null ? 30 : typeof count === "number" ? Math.max(1, count) : 6 * Math.max(1, count[row]!);
      const weight = mask?.values[mask.values.length === 30 ? at : row] ?? 1;
      const step = 1e-5;
      const [t] = [Math.fround(target[at]!)];
      const slope = (reference(x + step, t, attributes) - reference(x - step, t, attributes)) / (2 * step);
      const expected = (2 * weight * slope) / divisor;
      expect(Math.abs(gradient!.data[at]! - expected), `at ${x}`).toBeLessThan(1e-5 * Math.max(1, Math.abs(expected)));
    });
  });
});

describe("losses", () => {
  it("are all held to a reference", () => {
    const words = LOSS_OPERATORS.filter(({ layer }) => layer).map(({ name }) => name);
    // cross_entropy is in training/recipe-settings.test.ts, total is no loss.
    const others = ["cross_entropy", "total"];
    expect(words.filter((name) => !others.includes(name)).sort()).toEqual(Object.keys(REFERENCE).sort());
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

  it("leave out what does not count, and need not be a number", async () => {
    const rows = [1, 0, 1, 0, 0, 1];
    const target = Array.from({ length: 30 }, (_, at) =>
      rows[Math.floor(at / 5)] ? 0.5 : [-Infinity, NaN, Infinity][at % 3]!,
    );
    const mask = { shape: [6], values: rows };
    const [some, all] = [uniform("predictions", 30, -4, 4), new Array<number>(30).fill(0.5)];
    for (const [op, attributes] of [
      ["binary_cross_entropy", {}],
      ["focal", { alpha: 0.25, gamma: 2 }],
      ["smooth_l1", { beta: 1 }],
      ["smooth_l1", { beta: 0 }],
    ] as readonly (readonly [string, Attributes])[]) {
      const golden = { op, attributes, target, count: 3, mask, loss: 0, gradient: [] };
      const { loss, gradient } = await run(golden, some, [6, 5]);
      const whole = await run({ ...golden, target: all }, some, [6, 5]);
      expect(loss!.data[0], op).toBe(whole.loss!.data[0]);
      expect([...gradient!.data], op).toEqual([...whole.gradient!.data]);
      expect(loss!.data[0]).toBeGreaterThan(0);
      // Nothing counts, as in a batch of images without objects.
      const nothing = { ...golden, count: 0, mask: { shape: [6], values: new Array<number>(6).fill(0) } };
      const none = await run(nothing, some, [6, 5]);
      expect(none.loss!.data[0], op).toBe(0);
      expect([...none.gradient!.data].every((each) => each === 0)).toBe(true);
    }
  });

  it("take masks and counts that fit what they compare", () => {
    const graph = (shape: readonly number[], count: readonly number[], mask: readonly number[]) => () =>
      lossGraph("smooth_l1", {}, shape, count, mask);
    for (const mask of [[6, 5], [6, 1], [1, 5], [6], [1]]) {
      for (const count of [[], [6]]) {
        expect(graph([6, 5], count, mask)).not.toThrow();
        expect(graph([6, 5, 1, 1], count, mask)).not.toThrow();
      }
    }
    expect(graph([6, 5], [], [5])).toThrow("the mask of smooth_l1, [5], does not fit its predictions, [6, 5]");
    expect(graph([6, 5], [], [])).toThrow(ShapeError);
    expect(graph([6, 5, 1, 1], [], [6, 5, 1])).toThrow(ShapeError);
    expect(graph([6, 5], [5], [6])).toThrow("smooth_l1 is divided by one number, or by one for each image, not by [5]");
    const shares = (count: readonly number[]) => () => lossGraph("cross_entropy", {}, [6, 5], count);
    expect(shares([6])).toThrow("cross_entropy is divided by one number, not by [6]");
    expect(shares([6, 5])).toThrow(ShapeError);
  });

  it("compare what is alike", () => {
    const wrong = () => lossGraph("binary_cross_entropy", {}, [6, 4]);
    expect(wrong).toThrow(ShapeError);
    expect(wrong).toThrow("binary_cross_entropy compares predictions [6, 4] with a target [6, 5]");
  });
});

describe("total", () => {
  const total = async (x: readonly number[], shape: readonly number[], attributes: Attributes): Promise<number[]> => {
    const given = value(tensor(shape), "x");
    const record = recorder({ path: "total" });
    const [sum] = record.apply("total", [given], attributes) as [Value];
    const graph: Graph = {
      name: "total",
      inputs: [{ name: "x", value: given }],
      outputs: [{ name: "sum", value: sum }],
      parameters: [],
      constants: record.constants,
      nodes: record.nodes,
    };
    verify(graph);
    const found = (await runGraph(graph, { x: { shape, data: Float32Array.from(x) } }))["sum"]!;
    expect(found.shape).toEqual(sum.type.shape);
    return [...found.data];
  };

  it("is the sum of all values, of each image's, or so many for each image", async () => {
    const x = [1, 0, 1, 1, 0.5, 0, 0, 0, 0, 0, 0, 0];
    for (const [shape, each] of [
      [
        [3, 4],
        [3, 0.5, 0],
      ],
      [
        [3, 2, 2],
        [3, 0.5, 0],
      ],
      [[12], x],
    ] as const) {
      expect(await total(x, shape, {})).toEqual([3.5]);
      expect(await total(x, shape, { each_image: true })).toEqual(each);
      expect(await total(x, shape, { of_each: 7 })).toEqual([7 * shape[0]]);
      expect(await total(x, shape, { of_each: 7, each_image: true })).toEqual(each.map(() => 7));
    }
    expect(await total([2], [], {})).toEqual([2]);
    await expect(total([2], [], { each_image: true })).rejects.toThrow(ShapeError);
  });
});
