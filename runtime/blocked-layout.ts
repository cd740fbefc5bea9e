/** Which blocked layout ONNX Runtime's convolutions use on this machine: found out by asking it. */
import { concat, emitOnnx } from "../compiler/emit/onnx.js";
import { tensor, value } from "../compiler/ir/build.js";
import { node } from "../compiler/ops/node.js";
import type { Graph, Value } from "../compiler/ir/types.js";
import { blockLayout } from "../compiler/passes/block-layout.js";
import { loadRuntime, type Runtime } from "./onnx/onnxruntime.js";

/** Blocks that ONNX Runtime has code for: AVX-512's and AVX2's. */
const BLOCKS = [16, 8] as const;
/** Channels and pixels of the probe: several blocks of either size. */
const CHANNELS = 32;
const SIZE = 4;

let found: Promise<number> | undefined;

/** Channels of a block on this machine's processor; 0 where there is no such layout, or not the one that we know. */
export function machineBlockSize(): Promise<number> {
  found ??= loadRuntime().then(probe);
  return found;
}

async function probe(runtime: Runtime): Promise<number> {
  const feeds = {
    x: numbers(runtime, [1, CHANNELS, SIZE, SIZE]),
    w: numbers(runtime, [CHANNELS, CHANNELS, 3, 3]),
  };
  const plain = convolution();
  const expected = await run(runtime, plain, feeds);
  for (const block of BLOCKS) {
    const given = await run(runtime, blockLayout(plain, block), feeds).catch(() => undefined);
    // Filters in blocks of another size give something else altogether; whole numbers this small are exact.
    if (given !== undefined && given.every((each, index) => each === expected[index])) return block;
  }
  return 0;
}

function convolution(): Graph {
  const [x, w] = [value(tensor([1, CHANNELS, SIZE, SIZE]), "x"), value(tensor([CHANNELS, CHANNELS, 3, 3]), "w")];
  const span = { file: "", start: 0, end: 0 };
  const made = node("conv", [x, w], { kernel: [3, 3], channels: CHANNELS }, "conv", span);
  const named = (name: string, each: Value) => ({ name, value: each });
  return {
    name: "probe",
    inputs: [named("x", x), named("w", w)],
    outputs: [named("y", made.outputs[0]!)],
    parameters: [],
    constants: [],
    nodes: [made],
  };
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
