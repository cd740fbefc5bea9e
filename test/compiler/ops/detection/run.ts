/** One detection operator in a graph of its own, run by ONNX Runtime and held against what it should give. */
import * as ort from "#onnxruntime";
import fc from "fast-check";
import { expect } from "vitest";
import { value } from "../../../../compiler/ir/build.js";
import { node } from "../../../../compiler/ops/node.js";
import { symbol, type Dim } from "../../../../compiler/ir/dim.js";
import type { Attributes, Graph } from "../../../../compiler/ir/types.js";
import { emitBytes } from "../../emit/run.js";
import { SPAN } from "../graphs.js";

export interface Tensor {
  readonly shape: readonly number[];
  readonly data: readonly number[];
  /** Default float32. */
  readonly dtype?: "float32" | "int64";
}

/** An input with what its sizes are called: `N T 4`. In a graph that is open in them, capital letters are symbols. */
export type Input = Tensor & { readonly sizes: string };

/** How the graph is written. */
export interface Variant {
  readonly opset: number;
  /** Whether sizes are symbols where they can be. */
  readonly open: boolean;
}

export const variants: fc.Arbitrary<Variant> = fc.record({ opset: fc.constantFrom(13, 17, 21), open: fc.boolean() });

/** Classes, channels and anchors: known when compiling. */
const ALWAYS_KNOWN = new Set(["K", "C"]);

function declared({ sizes, shape }: Input, open: boolean): readonly Dim[] {
  return shape.map((size, axis) => {
    const name = sizes.split(" ")[axis]!;
    return open && /^[A-Z]$/.test(name) && !ALWAYS_KNOWN.has(name) ? symbol(name) : size;
  });
}

/** A graph of the one operator: inputs `x0`, `x1`, ... and outputs `y0`, `y1`, ... */
export function operatorGraph(op: string, inputs: readonly Input[], attributes: Attributes, open: boolean): Graph {
  const values = inputs.map((input, index) =>
    value({ dtype: input.dtype ?? "float32", shape: declared(input, open) }, `x${index}`),
  );
  const made = node(op, values, attributes, op, SPAN);
  return {
    name: op,
    inputs: values.map((each) => ({ name: each.name, value: each })),
    parameters: [],
    constants: [],
    nodes: [made],
    outputs: made.outputs.map((output, index) => ({ name: `y${index}`, value: output })),
  };
}

/** What ONNX Runtime computes, on one thread of the processor unless told otherwise: the outputs in their order. */
export async function run(
  bytes: Uint8Array,
  inputs: readonly Tensor[],
  options: ort.InferenceSession.SessionOptions = {},
): Promise<Tensor[]> {
  const session = await ort.InferenceSession.create(bytes, { intraOpNumThreads: 1, logSeverityLevel: 3, ...options });
  try {
    const needed = new Set(session.inputNames);
    const feeds = inputs.map(({ shape, data, dtype = "float32" }, index) => {
      const values = dtype === "int64" ? BigInt64Array.from(data, BigInt) : Float32Array.from(data);
      return [`x${index}`, new ort.Tensor(dtype, values, shape)] as const;
    });
    const outputs = await session.run(Object.fromEntries(feeds.filter(([name]) => needed.has(name))));
    return session.outputNames.map((name) => {
      const { data, dims, type } = outputs[name]!;
      const numbers = Array.from(data as Float32Array | BigInt64Array, Number);
      return { shape: dims, data: numbers, dtype: type as "float32" | "int64" };
    });
  } finally {
    await session.release();
  }
}

export async function runOperator(
  op: string,
  inputs: readonly Input[],
  attributes: Attributes = {},
  { opset, open }: Variant = { opset: 17, open: false },
): Promise<Tensor[]> {
  const graph = operatorGraph(op, inputs, attributes, open);
  const outputs = await run(emitBytes(graph, { opset }), inputs);
  outputs.forEach((output, index) => {
    const { dtype, shape } = graph.outputs[index]!.value.type;
    expect(output.dtype).toBe(dtype);
    expect(output.shape.length).toBe(shape.length);
    shape.forEach((dim, axis) => typeof dim === "number" && expect(output.shape[axis]).toBe(dim));
  });
  return outputs;
}

/** Runs the operator and compares; `tolerance` is relative, absolute below 1. */
export async function check(
  op: string,
  inputs: readonly Input[],
  attributes: Attributes,
  expected: readonly Tensor[],
  variant: Variant,
  tolerance = 0,
): Promise<void> {
  const actual = await runOperator(op, inputs, attributes, variant);
  expect(actual.length).toBe(expected.length);
  actual.forEach((tensor, index) => expectSame(tensor, expected[index]!, tolerance, `${op}, output ${index}`));
}

export function expectSame(actual: Tensor, expected: Tensor, tolerance: number, what: string): void {
  expect(actual.shape, what).toEqual(expected.shape);
  expected.data.forEach((wanted, index) => {
    const got = actual.data[index]!;
    const near = Object.is(got, wanted) || Math.abs(got - wanted) <= tolerance * Math.max(1, Math.abs(wanted));
    if (!near) expect.fail(`${what}, value ${index}: ${got} for ${wanted}`);
  });
}
