/** A training: what it needs is opened and compared with what was there before, then it takes its course. */
import { rm } from "node:fs/promises";
import { isDeepStrictEqual } from "node:util";
import type { Model } from "../../compiler/model.js";
import type { ParameterValues } from "../../compiler/emit/parameters.js";
import { recipeProblems } from "../../compiler/recipe-rules.js";
import type { Recipe } from "../../compiler/recipe.js";
import type { TrainingProgram } from "../../compiler/training/contract.js";
import type { AlgorithmChoices } from "../../compiler/tuning/choices.js";
import { machineBlockSize } from "../blocked-layout.js";
import type { DataSet } from "../data/index.js";
import type { Device, DeviceRequest } from "../onnx/device.js";
import { chooseDevice } from "../onnx/device.js";
import { discardLeftovers, newestCheckpoint, newestStep, repairBest } from "./checkpoint.js";
import { Course } from "./course.js";
import { openDeviceEngine } from "./device-engine.js";
import type { Engine } from "./engine.js";
import { trainedBy } from "./export.js";
import { buildProgram, channelsFor, checkFit, checkRequest, lengthened, trainingOptions } from "./fit.js";
import { openFeed, saysGrey, type FeedOptions } from "./feed.js";
import { emitTrainingGraphs } from "../../compiler/training/graphs.js";
import { beginning, noticesOf } from "./beginning.js";
import { checkSame, identityOf, type Identity } from "./identity.js";
import { initialState } from "./initial-state.js";
import { lockFolder, type Lock } from "./lock.js";
import { openMetrics, type MetricsFile, type StepMetrics, type ValidationMetrics } from "./metrics.js";
import { START, type Position } from "./position.js";
import { checkThaws } from "./phases.js";
import { openRemoteEngine } from "./remote-engine.js";
import { checkUnused, directoryOf, makeFolder, runFolder, writeConfig, type RunFolder } from "./run-folder.js";
import { openRunLog, toldTo } from "./run-log.js";
import { trainingLength, type TrainingLength } from "./schedule.js";

/** What is trained, how, on what, and where it is written. */
export interface TrainRequest {
  readonly model: Model;
  readonly recipe: Recipe;
  readonly data: DataSet;
  /** Where everything is written; made if it is not there. */
  readonly folder: string;
  /** As the user named them. */
  readonly names: { readonly target: string; readonly recipe: string; readonly data: string };
}

/** How a training runs; the recipe says what it computes. */
export interface TrainOptions extends Pick<FeedOptions, "workers" | "strict"> {
  /** Default `auto`. */
  readonly device?: DeviceRequest;
  /** Threads that one operator may use on the processor. Results depend on it. */
  readonly threads?: number;
  /** Goes on from the newest checkpoint in the folder, if there is one. */
  readonly resume?: boolean;
  /** Initial weights, by parameter path. */
  readonly weights?: ParameterValues;
  /** How operations are written that were measured on this machine. What goes on is written as it was when it began. */
  readonly algorithms?: AlgorithmChoices;
  /** Runs graphs in the thread that calls. Default: in one of their own. */
  readonly sameThread?: boolean;
  /**
   * Ends training after the update that is being made, and a validation or a measurement after the batch; a checkpoint is
   * written. Its reason, where it is a text, is kept in the log.
   */
  readonly signal?: AbortSignal;
  /** The trained model is made of the best checkpoint, not of the last update. Default false. */
  readonly best?: boolean;
  /** So many images are shown in TensorBoard: of the first training batch, and of each validation. Default 0: none. */
  readonly images?: number;
  /** Told what happens, in order. */
  readonly onEvent?: (event: TrainEvent) => void;
  /** Version of resnetc, for reports. */
  readonly version?: string;
}

/** What a training tells while it runs. */
export type TrainEvent =
  | {
      readonly kind: "start";
      readonly device: Device;
      readonly deviceReason: string;
      /** Updates that were made before. */
      readonly step: number;
      readonly length: TrainingLength;
      readonly batch: number;
      /** Kinds of operations that are written as was measured. */
      readonly tuned: number;
    }
  | { readonly kind: "step"; readonly metrics: StepMetrics }
  | { readonly kind: "validation"; readonly metrics: ValidationMetrics; readonly best: boolean }
  /** How far a validation is, in images. */
  | { readonly kind: "validating"; readonly done: number; readonly total: number }
  | { readonly kind: "checkpoint"; readonly file: string }
  | { readonly kind: "warning"; readonly message: string }
  /** What was done that the user may not expect, and is no mistake. */
  | { readonly kind: "notice"; readonly message: string };

/** Which weights the trained model is made of. */
export interface Exported {
  readonly from: "last" | "best";
  /** Updates after which they were so. */
  readonly step: number;
  /** Of the validation that made them the best, 0 to 1. */
  readonly error?: number;
}

/** How a training ended, or where it was stopped. */
export interface TrainResult {
  /** Updates that were made, in all. */
  readonly step: number;
  /** False where the signal ended it before its time. */
  readonly finished: boolean;
  /** The last validation. */
  readonly validation?: ValidationMetrics;
  /** By the recipe's whole evaluation (ten crops, say), on the test images, or where there are none the validation's. */
  readonly test?: ValidationMetrics;
  readonly best?: Position["best"];
  /** Absent where training did not end. */
  readonly exported?: Exported;
  /** Why it ended before the recipe's last update, where it did. */
  readonly stoppedEarly?: string;
  /** Share of the time that the device waited for batches, 0 to 1. */
  readonly waiting: number;
  /** Images that could not be read. */
  readonly unreadable: number;
  readonly run: RunFolder;
}

/**
 * Trains a network, or goes on with it.
 *
 * @throws {TrainingError} where model, recipe, data and folder do not fit together, and where the loss stops being a number
 * @throws {SessionError | DataError | FileError} for devices, data and files that can't be used
 */
export async function train(request: TrainRequest, options: TrainOptions = {}): Promise<TrainResult> {
  checkRequest(request, options);
  const run = runFolder(request.folder);
  await makeFolder(run.folder);
  const lock = await lockFolder(run.lock);
  const log = openRunLog(run.log);
  const tell = toldTo(log, options.onEvent);
  try {
    if (!options.resume) await checkUnused(run);
    const result = await opened(request, options, run, lock, tell);
    log.add(result.finished ? `ended after ${result.step} updates` : stoppedLine(result.step, options.signal));
    return result;
  } catch (error) {
    const { signal } = options;
    // Before the first update: while the mean image was measured, say.
    if (signal?.aborted && error === signal.reason) {
      const step = await newestStep(run.checkpoints);
      log.add(stoppedLine(step, signal));
      return { step, finished: false, waiting: 0, unreadable: 0, run };
    }
    log.add(`error: ${error instanceof Error ? error.message : String(error)}`);
    throw error;
  } finally {
    lock.release();
  }
}

function stoppedLine(step: number, signal: AbortSignal | undefined): string {
  const reason: unknown = signal?.reason;
  return `stopped after ${step} updates${typeof reason === "string" ? `: ${reason}` : ""}`;
}

async function opened(
  request: TrainRequest,
  options: TrainOptions,
  run: RunFolder,
  lock: Lock,
  tell: (event: TrainEvent) => void,
): Promise<TrainResult> {
  const { recipe, data, names } = request;
  const model = beginning(request);
  const warn = (message: string): void => tell({ kind: "warning", message });
  await discardLeftovers(run.checkpoints);
  // What another training measured there says nothing about this one.
  if (!options.resume) await rm(run.statistics, { force: true });
  const channels = channelsFor(model);
  const feed = await openFeed(data, recipe, recipe.seed, {
    ...(channels && { channels }),
    ...(options.workers !== undefined && { workers: options.workers }),
    ...(options.strict !== undefined && { strict: options.strict }),
    ...(options.signal && { signal: options.signal }),
    onUnreadable: warn,
    statisticsFile: run.statistics,
  });
  let engine: Engine | undefined;
  let metrics: MetricsFile | undefined;
  try {
    data.warnings.forEach(warn);
    if (feed.channels === 1 && !saysGrey(recipe.train)) {
      warn(`${model.name} takes one channel: images are turned to grey (ITU-R 601-2 luma)`);
    }
    recipeProblems(recipe).forEach(({ message }) => warn(message));
    const { device } = await chooseDevice(options.device ?? "auto");
    const blockSize = device === "cpu" ? await machineBlockSize() : 0;
    const settings = trainingOptions(model, recipe, feed, device, blockSize);
    const build = (algorithms: AlgorithmChoices): TrainingProgram => buildProgram(model, settings, algorithms);
    let program = build(options.algorithms ?? {});
    const length = trainingLength(recipe, feed.stepsPerEpoch);
    checkThaws(recipe, length);
    const { weights, version } = options;
    noticesOf(recipe, settings, weights, data.classes).forEach((message) => tell({ kind: "notice", message }));
    const identity = identityOf({ model, recipe, data: feed.data, names, weights, version });

    let unsure: readonly string[] = [];
    const compare = (begun: Identity): void => void (unsure = checkSame(begun, identity, run.folder));
    const found = options.resume ? await newestCheckpoint(run.checkpoints, program.state, compare) : undefined;
    [...(found?.warnings ?? []), ...unsure].forEach(warn);
    let position = START;
    if (found) {
      const { best, warning } = await repairBest(run.checkpoints, found.checkpoint, program.state);
      if (warning !== undefined) warn(warning);
      const { best: _before, ...rest } = found.checkpoint.position;
      position = { ...rest, ...(best && { best }) };
      const message = lengthened(recipe, position, found.checkpoint.length, length, run.folder);
      if (message !== undefined) tell({ kind: "notice", message });
    } else if (options.resume) warn(`${run.folder}: no checkpoint to go on from; beginning anew`);
    const state = found?.checkpoint.state ?? initialState(model, program.state, recipe.seed, weights);
    // What was measured since then would round otherwise.
    const begun = found ? (found.checkpoint.algorithms ?? {}) : program.options.algorithms;
    if (!isDeepStrictEqual(begun, program.options.algorithms)) program = build(begun ?? {});
    const graphs = emitTrainingGraphs(program, recipe.accumulate);
    checkFit(graphs.stepShape, request, feed);

    const open = options.sameThread ? openDeviceEngine : openRemoteEngine;
    engine = await open(graphs, {
      device: options.device ?? "auto",
      ...(options.threads !== undefined && { threads: options.threads }),
    });
    await engine.setState(state);
    // What began with the weights of a file goes on as that, whether or not they are named again.
    const before = found?.checkpoint.identity.content;
    const kept = before ? { ...identity, content: { ...identity.content!, weights: before.weights } } : identity;
    await writeConfig(run, {
      ...names,
      seed: recipe.seed,
      network: model.name,
      settings: recipe,
      directory: directoryOf(run),
      ...(data.heldOut && { heldOut: data.heldOut }),
      ...length,
      ...(version !== undefined && { version }),
    });
    metrics = await openMetrics(run.metrics, position);
    tell({
      kind: "start",
      device: engine.device,
      deviceReason: engine.deviceReason,
      step: position.step,
      length,
      batch: recipe.batch,
      tuned: Object.keys(program.options.algorithms ?? {}).length,
    });
    const trained = trainedBy(request, feed);
    const parts = { request, options, run, feed, engine, program, length, trained, lock, metrics, tell };
    return await new Course({ ...parts, identity: kept }, position).run();
  } finally {
    metrics?.close();
    await feed.close();
    await engine?.close();
  }
}
