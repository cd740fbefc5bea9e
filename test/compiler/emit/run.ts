/** Emitting a graph and running it in ONNX Runtime, for tests. */
import * as ort from "#onnxruntime";
import { concat, emitOnnx, type EmitOptions } from "../../../compiler/emit/onnx.js";
import type { Graph } from "../../../compiler/ir/types.js";
import { verify } from "../../../compiler/ops/verify.js";

export interface Tensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

export function emitBytes(graph: Graph, options: EmitOptions = {}): Uint8Array {
  const model = emitOnnx(verify(graph), options);
  const bytes = concat(model.chunks, model.byteLength);
  return bytes;
}

/** Outputs by name. One thread: results do not depend on how work is split. */
export async function runModel(
  bytes: Uint8Array,
  feeds: Readonly<Record<string, Tensor>>,
): Promise<Record<string, Tensor>> {
  const session = await ort.InferenceSession.create(bytes, { intraOpNumThreads: 1, logSeverityLevel: 3 });
  try {
    const inputs = Object.entries(feeds).map(
      ([name, { data, shape }]) => [name, new ort.Tensor("float32", data, shape)] as const,
    );
    const outputs = await session.run(Object.fromEntries(inputs));
    return Object.fromEntries(
      Object.entries(outputs).map(([name, { data, dims }]) => [name, { data: data as Float32Array, shape: dims }]),
    );
  } finally {
    await session.release();
  }
}

export async function runGraph(
  graph: Graph,
  feeds: Readonly<Record<string, Tensor>>,
  options: EmitOptions = {},
): Promise<Record<string, Tensor>> {
  return runModel(emitBytes(graph, options), feeds);
}

/** The largest difference, relative to the largest value expected, or to `floor` where that is larger. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>, floor = 1e-6): number {
  if (actual.length !== expected.length) return Infinity;
  let [error, scale] = [0, floor];
  for (let index = 0; index < expected.length; index += 1) {
    const difference = Math.abs(actual[index]! - expected[index]!);
    // A NaN is an infinite error, not one that no comparison sees.
    error = difference >= 0 ? Math.max(error, difference) : Infinity;
    scale = Math.max(scale, Math.abs(expected[index]!));
  }
  return error / scale;
}
