/** Which blocked layout ONNX Runtime's convolutions use on this machine: found out by asking it. */
import { concat, emitOnnx } from "../../compiler/emit/onnx.js";
import type { Graph } from "../../compiler/ir/types.js";
import { blockProbe, BLOCKS } from "../../compiler/tuning/block-probe.js";
import { loadRuntime, type Runtime } from "./onnxruntime.js";

let found: Promise<number> | undefined;

/** Channels of a block on this machine's processor; 0 where there is no such layout, or not the one that we know. */
export function machineBlockSize(): Promise<number> {
  found ??= loadRuntime().then(probe);
  return found;
}

async function probe(runtime: Runtime): Promise<number> {
  const { plain, blocked, shapes } = blockProbe();
  const feeds = Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, numbers(runtime, shape)]));
  const expected = await run(runtime, plain, feeds);
  for (const block of BLOCKS) {
    const given = await run(runtime, blocked(block), feeds).catch(() => undefined);
    // Filters in blocks of another size give something else altogether; whole numbers this small are exact.
    if (given !== undefined && given.every((each, index) => each === expected[index])) return block;
  }
  return 0;
}

/** Small whole numbers in no simple order. */
function numbers(runtime: Runtime, shape: readonly number[]) {
  const size = shape.reduce((product, dim) => product * dim, 1);
  const data = Float32Array.from({ length: size }, (_, index) => ((index * 7919) % 13) - 6);
  return new runtime.Tensor("float32", data, shape);
}

async function run(runtime: Runtime, graph: Graph, feeds: Record<string, InstanceType<Runtime["Tensor"]>>) {
  const { chunks, byteLength } = emitOnnx(graph);
  const session = await runtime.InferenceSession.create(concat(chunks, byteLength), { intraOpNumThreads: 1 });
  try {
    return (await session.run(feeds))["y"]!.data as Float32Array;
  } finally {
    await session.release();
  }
}
