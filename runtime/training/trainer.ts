/** A training: what it needs is opened and compared with what was there before, then it takes its course. */
import { rm } from "node:fs/promises";
import { isDeepStrictEqual } from "node:util";
import { sizeOfMean } from "../../compiler/mean-image.js";
import type { Model } from "../../compiler/model.js";
import { recipeProblems } from "../../compiler/recipe-rules.js";
import type { TrainingProgram } from "../../compiler/training/contract.js";
import type { AlgorithmChoices } from "../../compiler/tuning/choices.js";
import { machineBlockSize } from "../onnx/blocked-layout.js";
import { chooseDevice } from "../onnx/device.js";
import { discardLeftovers, newestCheckpoint, newestStep, repairBest, type StateValues } from "./checkpoint.js";
import { Course } from "./course.js";
import { openDeviceEngine } from "./device-engine.js";
import type { Engine } from "./engine.js";
import { buildProgram, checkRequest, lengthened } from "./fit.js";
import { saysGrey, type FeedOptions } from "./feed.js";
import { openSubject, type Subject } from "./subject.js";
import { emitTrainingGraphs } from "../../compiler/training/graphs.js";
import { beginning, frozenAtRandom, noticesOf } from "./beginning.js";
import { checkSame, identityOf, type Identity } from "./identity.js";
import { initialState } from "./initial-state.js";
import { lockFolder, type Lock } from "./lock.js";
import { openMetrics, type MetricsFile } from "./metrics.js";
import { START, type Position } from "./position.js";
import { checkThaws } from "./phases.js";
import type { TrainEvent, TrainOptions, TrainRequest, TrainResult } from "./request.js";
import { openRemoteEngine } from "./remote-engine.js";
import { checkUnused, directoryOf, makeFolder, runFolder, writeConfig, type RunFolder } from "./run-folder.js";
import { emitter, openRunLog } from "./run-log.js";
import { trainingLength, type TrainingLength } from "./schedule.js";

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
  const emit = emitter(log, options.onEvent);
  try {
    if (!options.resume) await checkUnused(run);
    const result = await opened(request, options, run, lock, emit);
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

/** With everything that is opened closed again. */
async function opened(
  request: TrainRequest,
  options: TrainOptions,
  run: RunFolder,
  lock: Lock,
  emit: (event: TrainEvent) => void,
): Promise<TrainResult> {
  const model = beginning(request);
  await discardLeftovers(run.checkpoints);
  // What another training measured there says nothing about this one.
  if (!options.resume) await rm(run.statistics, { force: true });
  const feed = await openSubject({ ...request, model }, feedOptions(options, run, emit));
  let engine: Engine | undefined;
  let metrics: MetricsFile | undefined;
  try {
    const planned = await plan(model, request, options, feed, emit);
    const begun = await whereToBegin(model, request, options, run, planned, emit);
    const { position, program, others } = begun;
    const graphs = emitTrainingGraphs(program, request.recipe.accumulate, others);
    feed.checkShape(graphs.stepShape);
    const open = options.sameThread ? openDeviceEngine : openRemoteEngine;
    engine = await open(graphs, {
      device: options.device ?? "auto",
      ...(options.threads !== undefined && { threads: options.threads }),
    });
    await engine.setState(begun.state);
    const { length } = planned;
    await writeSettings(request, options, run, length);
    metrics = await openMetrics(run.metrics, position);
    emit({
      kind: "start",
      device: engine.device,
      deviceReason: engine.deviceReason,
      step: position.step,
      length,
      batch: request.recipe.batch,
      tuned: Object.keys(program.options.algorithms ?? {}).length,
    });
    const { meanImage } = feed.trained;
    const sized = meanImage && sizeOfMean(model, meanImage);
    if (sized !== undefined) emit({ kind: "notice", message: sized });
    const parts = { request, options, run, feed, engine, program, length, lock, metrics, emit };
    return await new Course({ ...parts, identity: begun.identity }, position).run();
  } finally {
    metrics?.close();
    await feed.close();
    await engine?.close();
  }
}

function feedOptions(
  { workers, strict, signal }: TrainOptions,
  run: RunFolder,
  emit: (event: TrainEvent) => void,
): FeedOptions {
  return {
    ...(workers !== undefined && { workers }),
    ...(strict !== undefined && { strict }),
    ...(signal && { signal }),
    onUnreadable: (message) => emit({ kind: "warning", message }),
    statisticsFile: run.statistics,
  };
}

/** What is computed, and what this training is to be told from others by. */
interface Plan {
  /** The program with these algorithms, as far as it has a use for them. */
  readonly build: (algorithms: AlgorithmChoices) => Programs;
  readonly programs: Programs;
  readonly length: TrainingLength;
  readonly identity: Identity;
}

/** Of a detector one for each size of images, with the same state. */
type Programs = readonly [TrainingProgram, ...TrainingProgram[]];

async function plan(
  model: Model,
  { recipe, data, names }: TrainRequest,
  options: TrainOptions,
  feed: Subject,
  emit: (event: TrainEvent) => void,
): Promise<Plan> {
  const { weights, version, algorithms = {} } = options;
  const warn = (message: string): void => emit({ kind: "warning", message });
  data.warnings.forEach(warn);
  if (feed.channels === 1 && !saysGrey(recipe.train)) {
    warn(`${model.name} takes one channel: images are turned to grey (ITU-R 601-2 luma)`);
  }
  recipeProblems(recipe).forEach(({ message }) => warn(message));
  const { device } = await chooseDevice(options.device ?? "auto");
  const blockSize = device === "cpu" ? await machineBlockSize() : 0;
  const settings = feed.settings(device, blockSize);
  const build = (given: AlgorithmChoices): Programs =>
    settings.map((each) => buildProgram(model, each, given)) as [TrainingProgram, ...TrainingProgram[]];
  const programs = build(algorithms);
  const length = trainingLength(recipe, feed.stepsPerEpoch);
  checkThaws(recipe, length);
  const notices = noticesOf(model, recipe, settings[0], weights, data.classes);
  const frozen = options.resume ? [] : frozenAtRandom(model, recipe, weights);
  const unjudged = data.validation.size > 0 ? [] : [`${data.name}: has no validation images: nothing is validated`];
  [...notices, ...frozen, ...feed.notices, ...unjudged].forEach((message) => emit({ kind: "notice", message }));
  feed.warnings.forEach(warn);
  const identity = identityOf({ model, recipe, data: feed.data, names, weights, version });
  return { build, programs, length, identity };
}

interface Begun {
  readonly position: Position;
  readonly state: StateValues;
  readonly program: TrainingProgram;
  readonly others: readonly TrainingProgram[];
  readonly identity: Identity;
}

/** At the beginning, or at the newest checkpoint of the same training. */
async function whereToBegin(
  model: Model,
  { recipe }: TrainRequest,
  { resume, weights }: TrainOptions,
  run: RunFolder,
  { build, programs, length, identity }: Plan,
  emit: (event: TrainEvent) => void,
): Promise<Begun> {
  const warn = (message: string): void => emit({ kind: "warning", message });
  const [program, ...others] = programs;
  let unsure: readonly string[] = [];
  const compare = (begun: Identity): void => void (unsure = checkSame(begun, identity, run.folder));
  const found = resume ? await newestCheckpoint(run.checkpoints, program.state, compare) : undefined;
  [...(found?.warnings ?? []), ...unsure].forEach(warn);
  if (!found) {
    if (resume) warn(`${run.folder}: no checkpoint to go on from; beginning anew`);
    return {
      position: START,
      state: initialState(model, program.state, recipe.seed, weights),
      program,
      others,
      identity,
    };
  }
  const { checkpoint } = found;
  const { best, warning } = await repairBest(run.checkpoints, checkpoint, program.state);
  if (warning !== undefined) warn(warning);
  const { best: _before, ...rest } = checkpoint.position;
  const position = { ...rest, ...(best && { best }) };
  const message = lengthened(recipe, position, checkpoint.length, length, run.folder);
  if (message !== undefined) emit({ kind: "notice", message });
  // What was measured since then would round otherwise.
  const { algorithms = {} } = checkpoint;
  const isSame = isDeepStrictEqual(algorithms, program.options.algorithms);
  // What began with the weights of a file goes on as that, whether or not they are named again.
  const before = checkpoint.identity.content;
  return {
    position,
    state: checkpoint.state,
    ...(isSame ? { program, others } : written(build(algorithms))),
    identity: before ? { ...identity, content: { ...identity.content!, weights: before.weights } } : identity,
  };
}

function written([program, ...others]: Programs): Pick<Begun, "program" | "others"> {
  return { program, others };
}

/** What was asked for, kept beside what comes of it. */
async function writeSettings(
  { model, recipe, data, names }: TrainRequest,
  { version }: TrainOptions,
  run: RunFolder,
  length: TrainingLength,
): Promise<void> {
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
}
