/** How long a small graph takes on a device. */
import type { Tensor } from "#onnxruntime";
import { concat, emitOnnx } from "../../compiler/emit/onnx.js";
import type { DataType, Graph } from "../../compiler/ir/types.js";
import type { Measure } from "../../compiler/tuning/choices.js";
import { condensed, upload } from "../../compiler/tuning/timing.js";
import type { Device } from "../../compiler/device.js";
import { NO_CPU_FALLBACK } from "../onnx/create.js";
import type { Runtime } from "../onnx/onnxruntime.js";

/** A graph runs for at least so many seconds, after once to warm up, and so often, unless that takes long. */
const SECONDS = 0.05;
const RUNS = 5;
const LONG = 2;

type Feeds = Record<string, Tensor>;

/** @param threads of the processor; undefined: as many as ONNX Runtime takes by itself */
export function measureOn(runtime: Runtime, device: Device, threads: number | undefined): Measure {
  const open = (graph: Graph, onDevice = false) => {
    const { chunks, byteLength } = emitOnnx(graph);
    return runtime.InferenceSession.create(concat(chunks, byteLength), {
      executionProviders: [device],
      logSeverityLevel: 4,
      ...(threads !== undefined && { intraOpNumThreads: threads }),
      // A way that the device has to leave to the processor is no choice there.
      ...(device !== "cpu" && { extra: NO_CPU_FALLBACK }),
      ...(onDevice && { preferredOutputLocation: "gpu-buffer" as const }),
    });
  };
  return async (graph) => {
    const session = await open(device === "cpu" ? graph : condensed(graph));
    // With WebGPU inputs are on the device before, as a training has them.
    const up = device === "webgpu" ? await open(upload(graph, uploaded), true) : undefined;
    const given = Object.fromEntries(graph.inputs.map(({ name, value }) => [name, filled(runtime, value.type)]));
    let placed: Feeds = {};
    try {
      if (up) placed = await up.run(given);
      const feeds = Object.fromEntries(graph.inputs.map(({ name }) => [name, placed[uploaded(name)] ?? given[name]!]));
      return await shortestRun(() => session.run(feeds));
    } finally {
      for (const tensor of Object.values(placed)) tensor.dispose();
      // Not before its tensors have gone: their memory is the session's.
      await up?.release();
      await session.release();
    }
  };
}

const uploaded = (name: string): string => `up.${name}`;

/** Seconds. */
async function shortestRun(run: () => Promise<unknown>): Promise<number> {
  await run();
  let [shortest, total] = [Infinity, 0];
  for (let runs = 0; total < SECONDS || (runs < RUNS && total < LONG); runs++) {
    const before = performance.now();
    await run();
    const took = (performance.now() - before) / 1000;
    shortest = Math.min(shortest, took);
    total += took;
  }
  return shortest;
}

/** Halves, or zeros: times do not depend on values that are no denormals. */
function filled(runtime: Runtime, { dtype, shape }: { readonly dtype: DataType; readonly shape: unknown }): Tensor {
  const dims = shape as readonly number[];
  const size = dims.reduce((product, dim) => product * dim, 1);
  switch (dtype) {
    case "float32":
      return new runtime.Tensor("float32", new Float32Array(size).fill(0.5), dims);
    case "float16":
      return new runtime.Tensor("float16", new Uint16Array(size).fill(HALF), dims);
    case "int64":
      return new runtime.Tensor("int64", new BigInt64Array(size), dims);
    default:
      throw new TypeError(`no operation that is measured takes ${dtype}`);
  }
}

/** 0.5 in fp16. */
const HALF = 0x3800;
