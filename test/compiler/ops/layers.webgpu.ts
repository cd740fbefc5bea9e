/**
 * In a process of its own, with the software adapter: every layer on WebGPU alone, nothing left to the processor, beside
 * the float64 reference; and its gradient beside the processor's. Prints JSON.
 */
import * as ort from "#onnxruntime";
import fc from "fast-check";
import type { Device } from "../../../compiler/device.js";
import { evaluate } from "../../../compiler/ir/dim.js";
import { fillNormal, randomStream } from "../../../compiler/emit/random.js";
import type { Graph } from "../../../compiler/ir/types.js";
import { withAlgorithms } from "../../../compiler/passes/choose-algorithms.js";
import { normsOnGpu } from "../../../compiler/passes/norms-on-gpu.js";
import { dropDeadCode } from "../../../compiler/passes/drop-dead-code.js";
import { ALONE, GPU } from "../../support/gpu.js";
import { emitBytes, relativeError, type Tensor } from "../emit/run.js";
import { gradientGraph } from "../training/graphs.js";
import { layerGraph } from "./graphs.js";
import { REFERENCE } from "./reference.js";
import { POSITIVE, SAMPLED, SAMPLES, type Sample } from "./samples.js";

export interface LayerReport {
  readonly op: string;
  readonly sample: string;
  /** Of the largest value; what ONNX Runtime said instead, where it did not run. */
  readonly output: number | string;
  readonly gradients: number | string;
}

const SAMPLES_EACH = 2;

/** Groups of several channels with a stride: what ONNX Runtime's ConvTranspose is wrong about there. */
const GROUPED: readonly Sample[] = ["conv", "conv_transpose"].map((op) => ({
  op,
  shapes: [[2, 8, 7, 6]],
  attributes: {
    kernel: [3, 3],
    channels: 12,
    stride: [2, 2],
    groups: 4,
    ...(op === "conv_transpose" && { bias: true }),
  },
}));

function normal(shape: readonly number[], name: string, positive = name.endsWith("running_var")): Tensor {
  const data = new Float32Array(shape.reduce((product, size) => product * size, 1));
  fillNormal(data, 1, randomStream(name));
  // Variances are positive.
  return { shape, data: positive ? data.map((value) => Math.abs(value) + 0.1) : data };
}

async function run(graph: Graph, feeds: Readonly<Record<string, Tensor>>, device: Device) {
  const session = await ort.InferenceSession.create(
    emitBytes(normsOnGpu.run(withAlgorithms(graph, device), { device })),
    {
      logSeverityLevel: 3,
      ...(device !== "cpu" && ALONE),
    },
  );
  const given = session.inputNames.map((name) => {
    const { data, shape } = feeds[name]!;
    return [name, new ort.Tensor("float32", data, shape)] as const;
  });
  const outputs = await session.run(Object.fromEntries(given));
  await session.release();
  return Object.fromEntries(Object.entries(outputs).map(([name, { data }]) => [name, data as Float32Array]));
}

/** The error, or what was thrown in its place. */
async function attempt(error: () => Promise<number>): Promise<number | string> {
  try {
    return await error();
  } catch (thrown) {
    return String(thrown).split("\n")[0]!.slice(0, 300);
  }
}

async function report({ op, shapes, attributes }: Sample): Promise<LayerReport> {
  const layer = layerGraph(op, shapes, attributes);
  const parameters = layer.parameters.map((each) => ({ name: each.path, value: each.value }));
  const graph: Graph = { ...layer, inputs: [...layer.inputs, ...parameters], parameters: [] };
  const sizes = (value: { readonly type: { readonly shape: readonly Parameters<typeof evaluate>[0][] } }) =>
    value.type.shape.map((dim) => evaluate(dim));
  const feeds: Record<string, Tensor> = Object.fromEntries(
    graph.inputs.map(({ name, value }) => [name, normal(sizes(value), name, POSITIVE.has(op) || undefined)]),
  );
  const output = await attempt(async () => {
    const { data } = REFERENCE[op]!(Object.values(feeds), attributes);
    return relativeError((await run(graph, feeds, GPU))["output"]!, data, 1);
  });
  const gradients = await attempt(async () => {
    const backward = dropDeadCode.run(
      gradientGraph(layer, (name) => name.includes("running_")),
      {},
    );
    const given = { ...feeds, dy: normal(sizes(layer.outputs[0]!.value), "dy") };
    const [expected, actual] = [await run(backward, given, "cpu"), await run(backward, given, GPU)];
    return Math.max(0, ...Object.keys(expected).map((name) => relativeError(actual[name]!, expected[name]!, 1)));
  });
  return { op, sample: JSON.stringify({ shapes, attributes }), output, gradients };
}

const samples = SAMPLED.flatMap((op) => fc.sample(SAMPLES[op]!, { seed: 1, numRuns: SAMPLES_EACH }));
const reports: LayerReport[] = [];
for (const sample of [...samples, ...GROUPED]) reports.push(await report(sample));
process.stdout.write(JSON.stringify(reports));
