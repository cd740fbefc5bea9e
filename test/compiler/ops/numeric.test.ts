/** Every operator, as ONNX Runtime runs what we emit, against the reference; and every shape that we infer. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { evaluate, symbol } from "../../../compiler/ir/dim.js";
import { parameterSize } from "../../../compiler/emit/parameters.js";
import { fillNormal, randomStream } from "../../../compiler/emit/random.js";
import type { Graph } from "../../../compiler/ir/types.js";
import { OPSETS } from "../../../compiler/emit/onnx.js";
import { halve } from "../../../compiler/passes/to-float16.js";
import { emitBytes, relativeError, runModel, type Tensor } from "../emit/run.js";
import { layerGraph } from "./graphs.js";
import { REFERENCE } from "./reference.js";
import { POSITIVE, SAMPLED, SAMPLES, type Sample } from "./samples.js";

function normal(shape: readonly number[], name: string): Tensor {
  const data = new Float32Array(shape.reduce((product, size) => product * size, 1));
  fillNormal(data, 2, randomStream(name));
  return { shape, data };
}

/** Every parameter random, variances positive. */
function randomWeights(graph: Graph): Map<string, Float32Array> {
  return new Map(
    graph.parameters.map((each) => {
      const { data } = normal([parameterSize(each)], each.path);
      return [each.path, each.role === "running_var" ? data.map((value) => Math.abs(value) + 0.1) : data];
    }),
  );
}

interface Variant {
  readonly symbolic: boolean;
  readonly opset: number;
  readonly half: boolean;
}

async function check({ op, shapes, attributes }: Sample, { symbolic, opset, half }: Variant): Promise<void> {
  const fixed = op === "fc" && attributes["each"] !== "pixel";
  const declared = shapes.map((shape) =>
    symbolic && !fixed ? shape.map((size, axis) => [symbol("N"), size, symbol("H"), symbol("W")][axis]!) : shape,
  );
  // Broadcast shapes have a 1 in the place of a symbol; a map and the one that it is made like have sides of their own.
  const inputs = op === "multiply" || op.endsWith("_like") ? shapes : declared;
  const graph = layerGraph(op, inputs, attributes);
  const weights = randomWeights(graph);
  const given = shapes.map((shape, index) => normal(shape, `input ${index}`));
  const data = POSITIVE.has(op) ? given.map(({ shape, data }) => ({ shape, data: data.map(Math.abs) })) : given;
  const feeds = Object.fromEntries(graph.inputs.map((input, index) => [input.name, data[index]!]));
  const outputs = await runModel(emitBytes(half ? halve(graph) : graph, { weights, opset }), feeds);
  const parameters = graph.parameters.map((each) => ({
    shape: each.value.type.shape as readonly number[],
    data: weights.get(each.path)!,
  }));
  const expected = REFERENCE[op]!([...data, ...parameters], attributes);
  const [N, , H, W] = shapes[0]!;
  const inferred = graph.outputs[0]!.value.type.shape.map((dim) => evaluate(dim, { N: N!, H: H ?? 0, W: W ?? 0 }));
  expect(inferred).toEqual(expected.shape);
  expect(outputs["output"]!.shape).toEqual(expected.shape);
  // Sums of values near 1 may cancel to little: their rounding errors do not. fp16 has 11 bits.
  const terms = Math.max(1, expected.terms ?? 0);
  expect(relativeError(outputs["output"]!.data, expected.data, terms)).toBeLessThan(half ? 4e-3 : 2e-6);
}

const variants: fc.Arbitrary<Variant> = fc.record({
  symbolic: fc.boolean(),
  opset: fc.integer(OPSETS),
  half: fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
});

describe("each operator computes what its definition says", () => {
  it.each(SAMPLED)("%s", async (op) => {
    await fc.assert(fc.asyncProperty(SAMPLES[op]!, variants, check), { numRuns: 30 });
  });
});

describe("a crop to another map", () => {
  it.each([13, 17, 21])("is that of its size, known or open, at opset %i", async (opset) => {
    const [x, like] = [normal([2, 3, 9, 8], "x"), normal([2, 1, 4, 5], "like")];
    const { data, shape } = REFERENCE["crop"]!([x], { size: [4, 5] });
    const open = [symbol("N"), 3, symbol("H"), symbol("W")];
    for (const shapes of [
      [x.shape, like.shape],
      [open, [symbol("N"), 1, symbol("K"), symbol("L")]],
      [open, like.shape],
    ]) {
      const bytes = emitBytes(layerGraph("crop_like", shapes), { opset });
      const { output } = await runModel(bytes, { x1: x, x2: like });
      expect(output!.shape).toEqual(shape);
      expect([...output!.data]).toEqual([...Array.from(data)]);
    }
  });
});
