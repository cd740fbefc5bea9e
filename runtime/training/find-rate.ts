/** Which learning rate a training might take: the loss while the rate rises (Smith, arXiv:1506.01186). */
import type { Model } from "../../compiler/model.js";
import type { ParameterValues } from "../../compiler/emit/parameters.js";
import type { Recipe } from "../../compiler/recipe.js";
import { emaDecayAt, type TrainingProgram } from "../../compiler/training/contract.js";
import { machineBlockSize } from "../onnx/blocked-layout.js";
import type { DataSet } from "../data/index.js";
import { chooseDevice, type Device, type DeviceRequest } from "../onnx/device.js";
import { beginning } from "./beginning.js";
import { openDeviceEngine } from "./device-engine.js";
import { engineBatch, type Engine } from "./engine.js";
import { TrainingError } from "./error.js";
import type { FeedOptions } from "./feed.js";
import { buildProgram, checkRequest } from "./fit.js";
import { checkSubject, openSubject } from "./subject.js";
import { emitTrainingGraphs } from "../../compiler/training/graphs.js";
import { initialState } from "./initial-state.js";
import { LOSS_SCALE_START } from "./loss-scale.js";
import { openRemoteEngine } from "./remote-engine.js";

/** What is trained at a rising rate, how, and on what. */
export interface FindRateRequest {
  readonly model: Model;
  readonly recipe: Recipe;
  readonly data: DataSet;
  /** As the user named them. */
  readonly names: { readonly target: string; readonly recipe: string; readonly data: string };
}

/** Which rates are tried, and how. */
export interface FindRateOptions extends Pick<FeedOptions, "workers" | "strict"> {
  /** Updates; default 100. */
  readonly steps?: number;
  /** The first rate and the last; default 1e-7 and 10. */
  readonly from?: number;
  readonly to?: number;
  /** Default `auto`. */
  readonly device?: DeviceRequest;
  readonly threads?: number;
  readonly weights?: ParameterValues;
  readonly sameThread?: boolean;
  readonly signal?: AbortSignal;
  /** Called after each update; `total`: how many there will be at most. */
  readonly onPoint?: (point: RatePoint, total: number) => void;
  /** Told of every image that can't be read, in one line that names it, and of what may be a mistake in the data. */
  readonly onWarning?: (message: string) => void;
  /** Told what is done that may not be expected, one line each: what a detector's dialect leaves out. */
  readonly onNotice?: (message: string) => void;
}

/** An update at one rate. */
export interface RatePoint {
  readonly rate: number;
  /** Of the update at this rate, before it. */
  readonly loss: number;
  /** The mean of the losses so far, older ones for less. */
  readonly smoothed: number;
}

/** The curve of loss over rate, and what it suggests. */
export interface FoundRate {
  readonly points: readonly RatePoint[];
  /** Undefined where the loss never fell: a wider range may show more. */
  readonly suggestion?: number;
  /** At the lowest mean; the suggestion is a tenth of it. */
  readonly lowest?: number;
  /** Where the mean falls fastest over the logarithm of the rate. */
  readonly steepest?: number;
  /** Why it ended before the last rate, where it did. */
  readonly ended?: "diverged" | "stopped";
  readonly device: Device;
}

/** Share of what is kept of the mean at each update, and the multiple of the lowest mean at which the loss has diverged. */
const [DECAY, DIVERGED] = [0.98, 4];
/** The lowest mean is divided by it. */
const SAFETY = 10;
/** Share of the points in which no steepest fall is looked for. */
const UNSTEADY = 0.1;

/**
 * Trains for a while at a rising rate. Nothing is written.
 *
 * @throws {TrainingError | DataError | SessionError} as {@link train}, and for a range that does not rise
 */
export async function findRate(request: FindRateRequest, options: FindRateOptions = {}): Promise<FoundRate> {
  const { steps = 100, from = 1e-7, to = 10 } = options;
  if (!(from > 0 && to > from && Number.isFinite(to)))
    throw new TrainingError(`rates can't rise from ${from} to ${to}`);
  if (!Number.isInteger(steps) || steps < 10) throw new TrainingError(`${steps} updates are too few: 10 at least`);
  // What begins frozen is trained here: the rate is that of the whole.
  const { thaws: _thaws, earlyStop: _early, ...recipe } = request.recipe;
  const whole = { ...request, recipe };
  checkRequest(whole, {}, checkSubject);
  const model = beginning(whole);
  const feed = await openSubject(
    { ...whole, model },
    {
      ...(options.workers !== undefined && { workers: options.workers }),
      ...(options.strict !== undefined && { strict: options.strict }),
      ...(options.signal && { signal: options.signal }),
      ...(options.onWarning && { onUnreadable: options.onWarning }),
    },
  );
  [...request.data.warnings, ...feed.warnings].forEach((message) => options.onWarning?.(message));
  feed.notices.forEach((message) => options.onNotice?.(message));
  let engine: Engine | undefined;
  try {
    const { device } = await chooseDevice(options.device ?? "auto");
    const blockSize = device === "cpu" ? await machineBlockSize() : 0;
    const [program, ...others] = feed
      .settings(device, blockSize)
      .map((settings) => buildProgram(model, settings, {})) as [TrainingProgram, ...TrainingProgram[]];
    const graphs = emitTrainingGraphs(program, recipe.accumulate, others);
    feed.checkShape(graphs.stepShape);
    engine = await (options.sameThread ? openDeviceEngine : openRemoteEngine)(graphs, {
      device: options.device ?? "auto",
      ...(options.threads !== undefined && { threads: options.threads }),
    });
    await engine.setState(initialState(model, program.state, recipe.seed, options.weights));
    const points: RatePoint[] = [];
    const course = new Curve();
    let ended: FoundRate["ended"];
    for await (const batch of feed.training(0)) {
      const step = points.length;
      if (step === steps) break;
      if (options.signal?.aborted) {
        ended = "stopped";
        break;
      }
      const rate = from * (to / from) ** (step / (steps - 1));
      const { loss } = await engine.step({
        ...engineBatch(batch),
        learningRate: rate,
        key: `noise ${recipe.seed} ${step}`,
        ...(recipe.emaWarmUp && { emaDecay: emaDecayAt(recipe.emaDecay ?? 0, step) }),
        ...(recipe.precision === "mixed" && { lossScale: LOSS_SCALE_START.scale }),
      });
      const smoothed = course.add(loss);
      if (!Number.isFinite(loss) || course.diverged) {
        ended = "diverged";
        break;
      }
      const point = { rate, loss, smoothed };
      points.push(point);
      options.onPoint?.(point, steps);
    }
    return { points, ...suggestionOf(points), ...(ended && { ended }), device };
  } finally {
    await feed.close();
    await engine?.close();
  }
}

/** A mean of losses that forgets, corrected for its beginning. */
class Curve {
  #mean = 0;
  #count = 0;
  #lowest = Infinity;
  diverged = false;

  add(loss: number): number {
    this.#count++;
    this.#mean = DECAY * this.#mean + (1 - DECAY) * loss;
    const smoothed = this.#mean / (1 - DECAY ** this.#count);
    this.#lowest = Math.min(this.#lowest, smoothed);
    this.diverged = smoothed > DIVERGED * this.#lowest;
    return smoothed;
  }
}

/** Exported to be tested. */
export function suggestionOf(points: readonly RatePoint[]): Pick<FoundRate, "suggestion" | "lowest" | "steepest"> {
  const lowest = points.reduce((best, { smoothed }, at) => (smoothed < points[best]!.smoothed ? at : best), 0);
  if (lowest === 0) return {};
  let [steepest, slope] = [0, 0];
  // The mean is unsteady at first.
  for (let at = Math.max(1, Math.ceil(points.length * UNSTEADY)); at <= lowest; at++) {
    const fall = points[at]!.smoothed - points[at - 1]!.smoothed;
    if (fall < slope) [steepest, slope] = [at, fall];
  }
  const { rate } = points[lowest]!;
  return {
    suggestion: Number((rate / SAFETY).toPrecision(2)),
    lowest: rate,
    ...(steepest > 0 && { steepest: points[steepest]!.rate }),
  };
}
