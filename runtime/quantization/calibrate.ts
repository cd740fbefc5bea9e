/** From a network and images to what a model of 8-bit numbers is made from. */
import { concat, emitOnnx } from "../../compiler/emit/onnx.js";
import type { ParameterValues } from "../../compiler/emit/parameters.js";
import type { Model, Preprocess } from "../../compiler/model.js";
import {
  errorsGraph,
  foldedGraph,
  inferenceGraph,
  rangesGraph,
  valuesGraph,
} from "../../compiler/quantization/graphs.js";
import {
  ERRORS,
  largeLayers,
  MEASURED,
  measuredValues,
  weightedLayers,
} from "../../compiler/quantization/measuring.js";
import type { Quantization } from "../../compiler/quantization/quantization.js";
import type { Range } from "../../compiler/quantization/scale.js";
import { DataError } from "../data-error.js";
import { readImage } from "../images/read.js";
import { nameOf, orProblem, type NamedSource } from "../images/source.js";
import { openSession, type Session, type SessionOptions } from "../onnx/session.js";
import { feedsFrom, type Feeds } from "./feeds.js";
import { count, histogram, type Histogram } from "./histogram.js";
import { FROM_HISTOGRAM, type CalibrationMethod } from "./methods.js";

type Graph = Model["graph"];

/** How a network is calibrated. */
export interface CalibrateOptions extends Pick<SessionOptions, "threads"> {
  /** How ranges are found. Default `minmax`. */
  readonly method?: CalibrationMethod;
  /** Layers whose 8-bit numbers are further from fp32 than this stay in fp32: signal to noise in dB. Default 20. */
  readonly leastDecibels?: number;
  /** Paths of layers that stay in fp32, in place of the first and the last with a weight. */
  readonly keep?: readonly string[];
  /** Values of the parameters. Default: as they begin, from `seed`. */
  readonly weights?: ParameterValues;
  readonly seed?: number;
  /** In place of the one that the source declares. */
  readonly preprocess?: Preprocess;
  /** Told of each image that can't be read, in one line that names it. */
  readonly onUnreadable?: (message: string) => void;
  /** Called after each run of an image; `total` is over all passes over the images. */
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/** A layer with a weight. */
export interface LayerError {
  readonly path: string;
  /** Signal to noise of what it gives, where it alone is of 8-bit numbers, in dB; null where it gave nothing but 0. */
  readonly decibels: number | null;
  /** Why it stays in fp32; absent: it computes with 8-bit numbers. */
  readonly kept?: "first" | "last" | "error" | "asked";
  /**
   * Signal to noise of what it gives in fp32, where its weight alone is rounded, in dB; of layers that stay in fp32 and have a
   * hundredth of all weights at least.
   */
  readonly weightDecibels?: number | null;
  /** It stays in fp32, and its weight is stored as 8-bit numbers, which become fp32 when the model is loaded. */
  readonly stored?: true;
}

/** What was measured of a network. */
export interface Calibration {
  readonly quantization: Quantization;
  readonly method: CalibrationMethod;
  /** Images that were looked at. */
  readonly images: number;
  /** In the order in which they run. */
  readonly layers: readonly LayerError[];
  /**
   * Signal to noise of what the whole network gives, in dB: its logits, where it has some. Null for detectors, whose boxes are of no
   * fixed number, and where it gave nothing but 0.
   */
  readonly decibels: number | null;
  /** Values that were 0 on all images, so that their scale is a guess: by name. */
  readonly zeros: readonly string[];
}

const LEAST_DECIBELS = 20;
/** Under which a weight isn't stored as 8-bit numbers: a tenth of the noise that a layer of 8-bit numbers may have. */
const LEAST_STORED_DECIBELS = 30;
/** Of what is the same: JSON has no infinity. */
const EXACT = 300;
/** Values of one run that are taken out for histograms, about. */
const VALUES_AT_ONCE = 64e6;

/**
 * Runs the network in fp32 on images, and finds the range of each value between its layers, and what 8-bit numbers change in each
 * layer and in the whole. The images go through it once for the ranges, once more for histograms unless the method is `minmax`, once
 * for the layers' errors, and once for that of the whole.
 *
 * @throws {DataError} one line: there are no images, or they are all the same
 * @throws {SessionError} where ONNX Runtime can't run it
 * @throws {RangeError} where nothing in it can be of 8-bit numbers, or a layer to be kept isn't there
 */
export async function calibrate(
  model: Model,
  images: readonly NamedSource[],
  options: CalibrateOptions = {},
): Promise<Calibration> {
  const { method = "minmax" } = options;
  const graph = foldedGraph(model.graph);
  const paths = weightedLayers(graph).map(({ path }) => path);
  if (paths.length === 0) throw new RangeError(`${model.name}: no layer of it can compute with 8-bit numbers`);
  const asked = options.keep?.find((path) => !paths.includes(path));
  if (asked !== undefined) throw new RangeError(`${model.name}: no layer with a weight is called ${asked}`);
  const over = passesOver(model, images, passesOf(model, method), options);

  const limits = await measureRanges(graph, over, options);
  requireDifferentImages(model, graph, limits, over.readable());
  const ranges = method === "minmax" ? limits : await cutRanges(graph, limits, FROM_HISTOGRAM[method], over, options);
  const layers = await measureErrors(graph, ranges, paths, over, options);
  const pathsOf = (chosen: (layer: LayerError) => unknown) => new Set(layers.filter(chosen).map(({ path }) => path));
  const quantization = { ranges, kept: pathsOf(({ kept }) => kept), stored: pathsOf(({ stored }) => stored) };
  return {
    quantization,
    method,
    decibels: model.detection ? null : await measureWhole(graph, quantization, over, options),
    images: over.readable(),
    layers,
    zeros: [...limits].flatMap(([name, { min, max }]) => (min === 0 && max === 0 ? [name] : [])),
  };
}

/** How often it goes through the images: what `total` of the progress counts. */
export function passesOf(model: Pick<Model, "detection">, method: CalibrationMethod = "minmax"): number {
  return 2 + (method === "minmax" ? 0 : 1) + (model.detection ? 0 : 1);
}

/** Goes through all images that can be read: more than once, the same each time. */
interface PassesOver {
  each(use: (feeds: Feeds) => Promise<void>): Promise<void>;
  readable(): number;
}

function passesOver(
  model: Model,
  images: readonly NamedSource[],
  passes: number,
  { preprocess = model.preprocess, onUnreadable, onProgress, signal }: CalibrateOptions,
): PassesOver {
  if (preprocess === undefined) {
    throw new DataError(
      `${model.name}: declares no preprocessing; say which it was trained with (--preprocess torchvision)`,
    );
  }
  if (images.length === 0) throw new DataError(`${model.name}: no images to calibrate on`);
  const feedsOf = feedsFrom(model, preprocess);
  let readable = [...images];
  let done = 0;
  return {
    async each(use) {
      const unreadable = new Set<NamedSource>();
      for (const image of readable) {
        signal?.throwIfAborted();
        const feeds = await orProblem(image, async () => feedsOf(await readImage(image)));
        if (typeof feeds["error"] === "string") {
          unreadable.add(image);
          onUnreadable?.(feeds["error"]);
        } else await use(feeds as Feeds);
        onProgress?.((done += 1), passes * images.length);
      }
      readable = readable.filter((image) => !unreadable.has(image));
      if (readable.length === 0) throw new DataError(`${model.name}: no image can be read: ${nameOf(images[0]!)}, ...`);
    },
    readable: () => readable.length,
  };
}

async function measureRanges(graph: Graph, over: PassesOver, options: CalibrateOptions): Promise<Map<string, Range>> {
  const ranges = new Map<string, Range>();
  const names = measuredValues(graph).map(({ name }) => name);
  await using(rangesGraph(graph), options, async (session) => {
    await over.each(async (feeds) => {
      const seen = await session.run(feeds);
      for (const name of names) {
        const max = numberOf(seen[MEASURED.greatest(name)]!.data);
        const min = -numberOf(seen[MEASURED.negatedLeast(name)]!.data);
        if (!Number.isFinite(max) || !Number.isFinite(min)) {
          throw new DataError(`${graph.name}: ${name} is not a number on some image: it can't be calibrated`);
        }
        const known = ranges.get(name) ?? { min: Infinity, max: -Infinity };
        // -0 is 0.
        ranges.set(name, { min: Math.min(known.min, min) + 0, max: Math.max(known.max, max) + 0 });
      }
    });
  });
  return ranges;
}

/** Ranges of one colour say nothing of images. */
function requireDifferentImages(model: Model, graph: Graph, ranges: ReadonlyMap<string, Range>, count: number): void {
  const range = ranges.get(graph.inputs[0]!.value.name);
  if (range && range.min === range.max) {
    const those = count === 1 ? "the image to calibrate on is" : `the ${count} images to calibrate on are all`;
    throw new DataError(`${model.name}: ${those} of one colour, so that ranges mean nothing`);
  }
}

async function cutRanges(
  graph: Graph,
  limits: ReadonlyMap<string, Range>,
  method: (seen: Histogram) => Range,
  over: PassesOver,
  options: CalibrateOptions,
): Promise<Map<string, Range>> {
  const seen = new Map([...limits].map(([name, range]) => [name, histogram(range)]));
  const values = measuredValues(graph);
  const groups = inParts(values.map(({ name, type }) => ({ name, size: type.shape.reduce<number>(timesKnown, 1) })));
  await using(valuesGraph(graph), options, async (session) => {
    await over.each(async (feeds) => {
      for (const names of groups) {
        const found = await session.run(feeds, names.map(MEASURED.values));
        for (const name of names) count(seen.get(name)!, found[MEASURED.values(name)]!.data as Float32Array);
      }
    });
  });
  return new Map([...seen].map(([name, each]) => [name, method(each)]));
}

/** Sizes that are not known before it runs count as a large image's. */
function timesKnown(product: number, dim: unknown): number {
  return product * (typeof dim === "number" ? dim : 256);
}

/** What is taken out of one run. */
function inParts(values: readonly { readonly name: string; readonly size: number }[]): string[][] {
  const parts: string[][] = [];
  let room = 0;
  for (const { name, size } of values) {
    if (parts.length === 0 || size > room) {
      parts.push([]);
      room = VALUES_AT_ONCE;
    }
    parts.at(-1)!.push(name);
    room -= size;
  }
  return parts;
}

async function measureErrors(
  graph: Graph,
  ranges: ReadonlyMap<string, Range>,
  paths: readonly string[],
  over: PassesOver,
  options: CalibrateOptions,
): Promise<readonly LayerError[]> {
  const { keep, leastDecibels = LEAST_DECIBELS } = options;
  const large = new Set(largeLayers(graph).map(({ path }) => path));
  const sums = new Map(paths.map((path) => [path, { signal: 0, noise: 0, weightNoise: 0 }]));
  await using(errorsGraph(graph, ranges), options, async (session) => {
    await over.each(async (feeds) => {
      const found = await session.run(feeds);
      for (const [path, sum] of sums) {
        sum.signal += numberOf(found[ERRORS.signal(path)]!.data);
        sum.noise += numberOf(found[ERRORS.noise(path)]!.data);
        if (large.has(path)) sum.weightNoise += numberOf(found[ERRORS.weightNoise(path)]!.data);
      }
    });
  });
  return paths.map((path, place): LayerError => {
    const { signal, noise, weightNoise } = sums.get(path)!;
    const decibels = decibelsOf(signal, noise);
    const why = (): LayerError["kept"] => {
      if (keep?.includes(path)) return "asked";
      if (keep === undefined && place === 0) return "first";
      if (keep === undefined && place === paths.length - 1) return "last";
      return decibels !== null && decibels < leastDecibels ? "error" : undefined;
    };
    const kept = why();
    if (kept === undefined) return { path, decibels };
    // What was asked for is left as it is.
    if (kept === "asked" || !large.has(path)) return { path, decibels, kept };
    const weightDecibels = decibelsOf(signal, weightNoise);
    const isStored = weightDecibels === null || weightDecibels >= LEAST_STORED_DECIBELS;
    return { path, decibels, kept, weightDecibels, ...(isStored && { stored: true }) };
  });
}

/** What 8-bit numbers change in the first output, logits before probabilities. */
async function measureWhole(
  graph: Graph,
  quantization: Quantization,
  over: PassesOver,
  options: CalibrateOptions,
): Promise<number | null> {
  const { name } = graph.outputs.find((each) => each.name === "logits") ?? graph.outputs[0]!;
  const sum = { signal: 0, noise: 0 };
  await using(inferenceGraph(graph), options, (exact) =>
    using(inferenceGraph(graph, quantization), options, (rounded) =>
      over.each(async (feeds) => {
        const [a, b] = [(await exact.run(feeds, [name]))[name]!, (await rounded.run(feeds, [name]))[name]!];
        for (let i = 0; i < a.data.length; i++) {
          const value = Number(a.data[i]);
          sum.signal += value ** 2;
          sum.noise += (Number(b.data[i]) - value) ** 2;
        }
      }),
    ),
  );
  return decibelsOf(sum.signal, sum.noise);
}

function decibelsOf(signal: number, noise: number): number | null {
  return signal === 0 ? null : noise === 0 ? EXACT : 10 * Math.log10(signal / noise);
}

async function using(
  graph: Graph,
  { weights, seed, threads }: CalibrateOptions,
  use: (session: Session) => Promise<void>,
): Promise<void> {
  const { chunks, byteLength } = emitOnnx(graph, {
    ...(weights && { weights }),
    ...(seed !== undefined && { seed }),
  });
  const session = await openSession(concat(chunks, byteLength), {
    device: "cpu",
    ...(threads !== undefined && { threads }),
  });
  try {
    await use(session);
  } finally {
    await session.close();
  }
}

function numberOf(data: ArrayLike<number | bigint>): number {
  return Number(data[0]);
}
