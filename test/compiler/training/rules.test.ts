/**
 * Every gradient rule, as ONNX Runtime runs it in every way that it can be written, against central differences of the
 * float64 reference, over random shapes and arguments.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { evaluate } from "../../../compiler/ir/dim.js";
import { fillNormal, randomStream } from "../../../compiler/emit/random.js";
import type { Graph } from "../../../compiler/ir/types.js";
import { operator } from "../../../compiler/ops/index.js";
import { dropDeadCode } from "../../../compiler/passes/drop-dead-code.js";
import { withAlgorithms } from "../../../compiler/passes/choose-algorithms.js";
import { normsOnGpu } from "../../../compiler/passes/norms-on-gpu.js";
import { runGraph, type Tensor } from "../emit/run.js";
import { layerGraph } from "../ops/graphs.js";
import { REFERENCE } from "../ops/reference.js";
import { POSITIVE, SAMPLED, SAMPLES, type Sample } from "../ops/samples.js";
import { gradientGraph } from "./graphs.js";

/** Of those whose inputs all have a gradient; what only lends its shape is in tensor-rules.test.ts. */
const layers = SAMPLED.filter(
  (name) => !Object.values(operator(name).layer!.arguments).some(({ type }) => type.kind === "tensor"),
);
/** Statistics are no function's argument here: nothing is trained in them. */
const isStatistic = (name: string): boolean => name.includes("running_");

function normal(shape: readonly number[], name: string): Tensor {
  const data = new Float32Array(shape.reduce((product, size) => product * size, 1));
  fillNormal(data, 1, randomStream(name));
  return { shape, data };
}

/** The gradient of sum(dy * op(inputs)) with respect to some elements of one input, by central differences. */
function differences(
  op: string,
  sample: Sample,
  inputs: readonly Tensor[],
  which: number,
  dy: Tensor,
  elements: readonly number[],
): number[] {
  const loss = (at: number, step: number): number => {
    const moved = inputs.map((input, index) => {
      const data = Float64Array.from(input.data);
      if (index === which) data[at]! += step;
      return { shape: input.shape, data };
    });
    const y = REFERENCE[op]!(moved, sample.attributes);
    let sum = 0;
    for (let index = 0; index < y.data.length; index += 1) sum += y.data[index]! * dy.data[index]!;
    return sum;
  };
  const step = 1e-6;
  return elements.map((at) => (loss(at, step) - loss(at, -step)) / (2 * step));
}

/** Nodes with several algorithms, each in every one of them at once: for each device as many graphs as the most algorithms. */
function* everyAlgorithm(graph: Graph): Generator<Graph> {
  for (const device of ["cpu", "webgpu", "cuda"] as const) {
    const most = Math.max(0, ...graph.nodes.map((node) => operator(node.op).algorithms?.(node, device).length ?? 0));
    for (let index = 0; index < Math.max(most, device === "cpu" ? 1 : 0); index += 1) {
      const written = withAlgorithms(graph, device, (_node, algorithms) => algorithms[index % algorithms.length]);
      yield normsOnGpu.run(written, { device });
    }
  }
}

async function check(sample: Sample): Promise<void> {
  const { op, shapes, attributes } = sample;
  const forward = layerGraph(op, shapes, attributes);
  const graph = dropDeadCode.run(gradientGraph(forward, isStatistic), {});
  const names = graph.inputs.filter(({ name }) => name !== "dy").map(({ name }) => name);
  const inputs = graph.inputs
    .filter(({ name }) => name !== "dy")
    .map(({ name, value }) => {
      const tensor = normal(
        value.type.shape.map((dim) => evaluate(dim)),
        name,
      );
      const positive = name.endsWith("running_var") || POSITIVE.has(op);
      if (positive) tensor.data.forEach((x, index) => (tensor.data[index] = Math.abs(x) + 0.1));
      return tensor;
    });
  const dy = normal(
    forward.outputs[0]!.value.type.shape.map((dim) => evaluate(dim)),
    "dy",
  );
  const feeds = { dy, ...Object.fromEntries(names.map((name, index) => [name, inputs[index]!])) };
  for (const written of everyAlgorithm(graph)) {
    const needed = Object.fromEntries(written.inputs.map(({ name }) => [name, feeds[name as keyof typeof feeds]]));
    const outputs = await runGraph(written, needed);
    for (const [which, name] of names.entries()) {
      if (isStatistic(name)) continue;
      const gradient = outputs[`gradient.${name}`];
      expect(gradient, `gradient of ${name}`).toBeDefined();
      expect(gradient!.shape).toEqual(inputs[which]!.shape);
      const size = gradient!.data.length;
      const elements = [...new Set([0, 1, 2, 3, 5, 8, 13, 21].map((step) => (step * 7919) % size))];
      const expected = differences(op, sample, inputs, which, dy, elements);
      elements.forEach((at, index) => {
        const error = Math.abs(gradient!.data[at]! - expected[index]!);
        expect(error, `${name}[${at}]: ${gradient!.data[at]} for ${expected[index]}`).toBeLessThan(
          2e-5 * Math.max(1, Math.abs(expected[index]!), Math.sqrt(dy.data.length)),
        );
      });
    }
  }
}

describe("each gradient rule gives the slope of its operator", () => {
  it.each(layers)("%s", async (op) => {
    await fc.assert(fc.asyncProperty(SAMPLES[op]!, check), { numRuns: 12 });
  });
});
