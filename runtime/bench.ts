/** How fast a model runs: latency, throughput, multiply-adds a second, and the layers that take the time. */
import path from "node:path";
import { openSession, SessionError, type Session, type Values } from "./onnx/session.js";
import type { ModelMetadata } from "../compiler/metadata.js";
import { tooManyValues } from "./images/limits.js";
import { preparePipeline } from "./images/transforms/pipeline.js";
import { readModelInfo, type ModelInfo } from "./onnx/model-info.js";
import { readModelMetadata } from "./onnx/model-metadata.js";
import { kernelLocator, type KernelTimes } from "./onnx/profile.js";
import type { Device, DeviceRequest } from "./onnx/device.js";

/** What is measured, and how often. */
export interface BenchOptions {
  /** Default `["auto"]`. */
  readonly devices?: readonly DeviceRequest[];
  /** Images a run. Default `[1]`. */
  readonly batchSizes?: readonly number[];
  /** Timed runs. Default 20. */
  readonly iterations?: number;
  /** Runs before those, in which kernels are compiled and memory is allotted. Default 3. */
  readonly warmUp?: number;
  readonly threads?: number;
  /** Multiply-adds of one image, for {@link BenchResult.macsPerSecond}. */
  readonly macs?: number;
  /** Height and width where the model leaves them open. Default 224x224, of detectors what an image of 4:3 becomes. */
  readonly size?: readonly [height: number, width: number];
  /** Called before each measurement, for progress. */
  readonly onMeasure?: (device: Device, batch: number) => void;
}

/** One device with one batch size, measured. */
export interface BenchResult {
  readonly device: Device;
  readonly deviceReason: string;
  readonly batch: number;
  /** Shape of the first input. */
  readonly input: readonly number[];
  readonly iterations: number;
  /** Milliseconds of a run: half of the runs took no longer. */
  readonly medianMs: number;
  /** Milliseconds of a run: nine of ten took no longer. */
  readonly p90Ms: number;
  readonly imagesPerSecond: number;
  /** Multiply-adds a second, at the median; absent where {@link BenchOptions.macs} is. */
  readonly macsPerSecond?: number;
  /** Hottest first; their shares sum to 1. */
  readonly layers: readonly LayerTime[];
  /** The same by source line: one line makes many layers. Empty for models without source lines. */
  readonly lines: readonly LineTime[];
}

/** What one layer takes of the time. */
export interface LayerTime {
  /** `conv4.22.conv2`; for time that belongs to no node of the model, what the runtime added: `(ReorderOutput)`. */
  readonly path: string;
  readonly op: string;
  /** The source line as the model carries it, where it does. */
  readonly source?: string;
  /** Milliseconds of a run, median. */
  readonly ms: number;
  /** Of the time in kernels, 0 to 1. */
  readonly share: number;
  /** True where it ran on the processor although the session is on a GPU. */
  readonly onCpu?: boolean;
}

/** What all layers of one source line take of the time. */
export interface LineTime {
  readonly source: string;
  readonly layers: number;
  readonly ms: number;
  readonly share: number;
}

/**
 * Measures every device with every batch size. Times are of runs without profiling, which costs time itself; a few
 * more runs with it then say how the time is spread over the layers.
 *
 * @param model a path, or the bytes of a model
 * @throws {SessionError}
 */
export async function bench(model: string | Uint8Array, options: BenchOptions = {}): Promise<BenchResult[]> {
  const info = readModelInfo(model);
  const name = typeof model === "string" ? path.basename(model) : "model";
  const settings = { ...options, size: options.size ?? usualSize(readModelMetadata(model, name)) };
  const results: BenchResult[] = [];
  for (const device of options.devices ?? ["auto"]) {
    for (const batch of options.batchSizes ?? [1]) results.push(await measure(model, info, device, batch, settings));
  }
  return results;
}

async function measure(
  model: string | Uint8Array,
  info: ModelInfo,
  device: DeviceRequest,
  batch: number,
  options: BenchOptions & Required<Pick<BenchOptions, "size">>,
): Promise<BenchResult> {
  const { iterations = 20, warmUp = 3, threads, macs, onMeasure } = options;
  checkCount("iterations", iterations, 1);
  checkCount("warm-up", warmUp, 0);
  checkCount("batch", batch, 1);
  const settings = { device, ...(threads === undefined ? {} : { threads }) };

  const session = await openSession(model, settings);
  const feeds = benchFeeds(session, batch, options.size);
  const input = Object.values(feeds)[0]!.shape;
  let times: number[];
  try {
    onMeasure?.(session.device, batch);
    times = await timeRuns(session, feeds, warmUp, iterations);
  } finally {
    await session.close();
  }

  const profiled = Math.min(iterations, PROFILED_RUNS);
  const layers = await profileLayers(model, info, { ...settings, device: session.device }, feeds, profiled);
  const medianMs = quantile(times, 0.5);
  return {
    device: session.device,
    deviceReason: session.deviceReason,
    batch,
    input,
    iterations,
    medianMs,
    p90Ms: quantile(times, 0.9),
    imagesPerSecond: (1000 * batch) / medianMs,
    ...(macs === undefined ? {} : { macsPerSecond: (1000 * macs * batch) / medianMs }),
    layers,
    lines: byLine(layers),
  };
}

const PROFILED_RUNS = 10;

function checkCount(what: string, value: number, least: number): void {
  if (!Number.isInteger(value) || value < least) {
    throw new SessionError(`${what}: ${value} is not a whole number of at least ${least}`);
  }
}

/** Milliseconds of each run, outputs on the processor included: what a caller waits for. */
async function timeRuns(
  session: Session,
  feeds: Record<string, Values>,
  warmUp: number,
  runs: number,
): Promise<number[]> {
  for (let i = 0; i < warmUp; i++) await session.run(feeds);
  const times: number[] = [];
  for (let i = 0; i < runs; i++) {
    const start = performance.now();
    await session.run(feeds);
    times.push(performance.now() - start);
  }
  return times;
}

function usualSize({ detection, preprocess }: ModelMetadata): readonly [height: number, width: number] {
  if (!detection || !preprocess) return [224, 224];
  return preparePipeline(preprocess.transforms, { from: [600, 800] }).size!;
}

/**
 * Made-up values for every input, the same each time: speed must not depend on zeros or on chance. The first input is
 * the images; more of them are the weights of a model that was compiled without.
 */
function benchFeeds(session: Session, batch: number, size: readonly [number, number]): Record<string, Values> {
  const open = [batch, 3, ...size];
  return Object.fromEntries(
    session.inputs.map(({ name, type, shape }, position) => {
      if (type !== "float32" && type !== "float16") {
        throw new SessionError(`${session.name}: input ${name} is ${type}; only float inputs can be measured`);
      }
      // Of a detector: every image fills its tensor.
      if (name === "image_info") return [name, { data: new Float32Array(), shape: [0, 6] }];
      const sizes = shape.map((dim, axis) => (typeof dim === "number" ? dim : (open[axis] ?? 1)));
      if (position === 0 && sizes[0] !== batch) {
        throw new SessionError(`${session.name}: made for batches of ${sizes[0] ?? 0}, not ${batch}`);
      }
      const problem = tooManyValues(sizes);
      if (problem !== undefined) throw new SessionError(`${session.name}: input ${name}: ${problem}`);
      return [name, { data: madeUp(sizes.reduce((product, dim) => product * dim, 1)), shape: sizes }];
    }),
  );
}

/** Between -1 and 1, by a linear congruential generator. */
function madeUp(length: number): Float32Array {
  let state = 1;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

async function profileLayers(
  model: string | Uint8Array,
  info: ModelInfo,
  settings: { device: Device; threads?: number },
  feeds: Record<string, Values>,
  runs: number,
): Promise<LayerTime[]> {
  const session = await openSession(model, { ...settings, profile: true });
  try {
    // The first run compiles kernels and allots memory: it is left out.
    for (let i = 0; i < runs + 1; i++) await session.run(feeds);
    const { kernels } = await session.profile();
    return layerTimes(kernels, info, settings.device, 1);
  } finally {
    await session.close();
  }
}

/**
 * Time of each layer, hottest first.
 *
 * @param skip executions of each kernel to leave out at the beginning
 */
export function layerTimes(
  kernels: readonly KernelTimes[],
  info: ModelInfo,
  device: Device,
  skip: number,
): LayerTime[] {
  const locate = kernelLocator(info);
  const layers = new Map<string, Omit<LayerTime, "share">>();
  for (const kernel of kernels) {
    const counted = kernel.microseconds.slice(skip);
    if (counted.length === 0) continue;
    // The middle run: on a busy machine a single one may take many times as long.
    const ms = quantile(counted, 0.5) / 1000;
    const node = locate(kernel);
    const path = node === undefined ? `(${kernel.op})` : node.name || node.outputs[0] || kernel.name;
    const source = node?.docString.split("\n", 1)[0];
    const onCpu = device !== "cpu" && kernel.provider === "CPUExecutionProvider";
    layers.set(path, {
      path,
      op: node?.op ?? kernel.op,
      ...(source && { source }),
      ms: ms + (layers.get(path)?.ms ?? 0),
      ...(onCpu && { onCpu }),
    });
  }
  const total = [...layers.values()].reduce((sum, layer) => sum + layer.ms, 0);
  return [...layers.values()]
    .map((layer) => ({ ...layer, share: total > 0 ? layer.ms / total : 0 }))
    .sort((a, b) => b.ms - a.ms);
}

function byLine(layers: readonly LayerTime[]): LineTime[] {
  const lines = new Map<string, LineTime>();
  for (const { source, ms, share } of layers) {
    if (source === undefined) continue;
    const line = lines.get(source) ?? { source, layers: 0, ms: 0, share: 0 };
    lines.set(source, { source, layers: line.layers + 1, ms: line.ms + ms, share: line.share + share });
  }
  return [...lines.values()].sort((a, b) => b.ms - a.ms);
}

/** The smallest value that at least the given part of the values does not exceed. */
function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)]!;
}
