/** Training from beginning to end: batches in, state carried, what was learned written down. */
import { rm } from "node:fs/promises";
import { isDeepStrictEqual } from "node:util";
import type { Model } from "../../compiler/model.js";
import type { ParameterValues } from "../../compiler/emit/parameters.js";
import type { Recipe } from "../../compiler/recipe.js";
import type { TrainingProgram } from "../../compiler/training/contract.js";
import type { MethodChoices } from "../../compiler/training/lowering/index.js";
import { machineBlockSize } from "../blocked-layout.js";
import type { DataSet, Split } from "../data/index.js";
import type { Device, DeviceRequest } from "../device.js";
import { chooseDevice } from "../device.js";
import { discardLeftovers, newestCheckpoint, saveCheckpoint, type Identity } from "./checkpoint.js";
import { firstNotFinite } from "./diagnose.js";
import type { Engine, StepInput, StepResult, Values } from "./engine.js";
import { openDeviceEngine } from "./device-engine.js";
import { TrainingError } from "./error.js";
import { startEventFile, type EventFile } from "./event-file.js";
import { trainedWeights, writeTrained } from "./export.js";
import { buildProgram, checkFit, checkSame, evaluationBatch, settled, trainingOptions } from "./fit.js";
import { openFeed, type Feed, type FeedOptions } from "./feed.js";
import { emitTrainingGraphs } from "./graphs.js";
import { initialState } from "./initial-state.js";
import { afterUpdate, LOSS_SCALE_START, SMALLEST } from "./loss-scale.js";
import { openMetrics, type MetricsFile, type StepMetrics, type ValidationMetrics } from "./metrics.js";
import { START, type Position } from "./position.js";
import { preciseStatistics } from "./precise-statistics.js";
import { preprocessOf } from "./preprocess-of.js";
import { openRemoteEngine } from "./remote-engine.js";
import { makeFolder, runFolder, writeConfig, type RunFolder } from "./run-folder.js";
import { afterEpoch, afterValidation, learningRate, trainingLength, type Length } from "./schedule.js";
import { errorsOf, NOTHING, tally } from "./scores.js";

export interface TrainRequest {
  readonly model: Model;
  readonly recipe: Recipe;
  readonly data: DataSet;
  /** Where everything is written; made if it is not there. */
  readonly folder: string;
  /** As the user named them. */
  readonly names: { readonly target: string; readonly recipe: string; readonly data: string };
}

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
  readonly methods?: MethodChoices;
  /** Runs graphs in the thread that calls. Default: in one of their own. */
  readonly sameThread?: boolean;
  /** Ends training after the update that is being made; a checkpoint is written. */
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: TrainEvent) => void;
  /** In place of the one made from model and recipe. */
  readonly program?: TrainingProgram;
  /** Version of resnetc, for reports. */
  readonly version?: string;
}

export type TrainEvent =
  | {
      readonly kind: "start";
      readonly device: Device;
      readonly deviceReason: string;
      /** Updates that were made before. */
      readonly step: number;
      readonly length: Length;
      readonly batch: number;
      /** Kinds of operations that are written as was measured. */
      readonly tuned: number;
    }
  | { readonly kind: "step"; readonly metrics: StepMetrics }
  | { readonly kind: "validation"; readonly metrics: ValidationMetrics; readonly best: boolean }
  /** How far a validation is, in pictures. */
  | { readonly kind: "validating"; readonly done: number; readonly total: number }
  | { readonly kind: "checkpoint"; readonly file: string }
  | { readonly kind: "warning"; readonly message: string };

export interface TrainResult {
  /** Updates that were made, in all. */
  readonly step: number;
  /** False where the signal ended it before its time. */
  readonly finished: boolean;
  /** The last validation. */
  readonly validation?: ValidationMetrics;
  /** By the recipe's whole evaluation (ten crops, say), on the test pictures, or where there are none the validation's. */
  readonly test?: ValidationMetrics;
  readonly best?: Position["best"];
  /** Share of the time that the device waited for batches, 0 to 1. */
  readonly waiting: number;
  /** Pictures that could not be read. */
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
  const { model, recipe, data, names } = request;
  const run = runFolder(request.folder);
  const tell = options.onEvent ?? (() => undefined);
  const warn = (message: string): void => tell({ kind: "warning", message });
  await makeFolder(run.folder);
  await discardLeftovers(run.checkpoints);
  // What another training measured there says nothing about this one.
  if (!options.resume) await rm(run.statistics, { force: true });
  const feed = await openFeed(data, recipe, recipe.seed, {
    ...(options.workers !== undefined && { workers: options.workers }),
    ...(options.strict !== undefined && { strict: options.strict }),
    onUnreadable: warn,
    statisticsFile: run.statistics,
  });
  let engine: Engine | undefined;
  let metrics: MetricsFile | undefined;
  try {
    data.warnings.forEach(warn);
    const { device } = await chooseDevice(options.device ?? "auto");
    const blockSize = device === "cpu" ? await machineBlockSize() : 0;
    const settings = trainingOptions(model, recipe, feed, device, blockSize);
    const build = (methods: MethodChoices): TrainingProgram =>
      options.program ?? buildProgram(model, settings, methods);
    let program = build(options.methods ?? {});
    const length = trainingLength(recipe, feed.stepsPerEpoch);
    const identity: Identity = { ...names, seed: recipe.seed, settings: JSON.stringify(settled(recipe)) };

    const found = options.resume ? await newestCheckpoint(run.checkpoints, program.state) : undefined;
    found?.warnings.forEach(warn);
    if (found) checkSame(found.checkpoint.identity, identity, run.folder);
    else if (options.resume) warn(`${run.folder}: no checkpoint to go on from; beginning anew`);
    const position = found?.checkpoint.position ?? START;
    const state = found?.checkpoint.state ?? initialState(model, program.state, recipe.seed, options.weights);
    // What was measured since then would round otherwise.
    const begun = found ? (found.checkpoint.methods ?? {}) : program.options.methods;
    if (!isDeepStrictEqual(begun, program.options.methods)) program = build(begun ?? {});
    const graphs = emitTrainingGraphs(program, recipe.accumulate);
    checkFit(graphs.classes, graphs.stepShape, request, feed);

    const open = options.sameThread ? openDeviceEngine : openRemoteEngine;
    engine = await open(graphs, {
      device: options.device ?? "auto",
      ...(options.threads !== undefined && { threads: options.threads }),
    });
    await engine.setState(state);
    await writeConfig(run, {
      ...names,
      seed: recipe.seed,
      network: model.name,
      settings: recipe,
      ...length,
      ...(options.version !== undefined && { version: options.version }),
    });
    metrics = await openMetrics(run.metrics, position.step);
    tell({
      kind: "start",
      device: engine.device,
      deviceReason: engine.deviceReason,
      step: position.step,
      length,
      batch: recipe.batch,
      tuned: Object.keys(program.options.methods ?? {}).length,
    });
    const training = new Training(
      { request, options, run, feed, engine, program, length, identity, metrics, tell },
      position,
    );
    return await training.run();
  } finally {
    metrics?.close();
    await feed.close();
    await engine?.close();
  }
}

interface Parts {
  readonly request: TrainRequest;
  readonly options: TrainOptions;
  readonly run: RunFolder;
  readonly feed: Feed;
  readonly engine: Engine;
  readonly program: TrainingProgram;
  readonly length: Length;
  readonly identity: Identity;
  readonly metrics: MetricsFile;
  readonly tell: (event: TrainEvent) => void;
}

class Training {
  readonly #parts: Parts;
  readonly #events: EventFile;
  #position: Position;
  /** Milliseconds of this run, and those in which the device had no batch. */
  #busy = 0;
  #waited = 0;
  #began = performance.now();
  #before: number;
  #saved = -1;
  #saving: Promise<void> = Promise.resolve();
  #validation: ValidationMetrics | undefined;

  constructor(parts: Parts, position: Position) {
    this.#parts = parts;
    this.#position = position;
    this.#before = position.seconds;
    this.#events = startEventFile(parts.run.folder, position.step);
  }

  async run(): Promise<TrainResult> {
    const { options, length } = this.#parts;
    const finished = await this.#updates();
    if (this.#saved !== this.#position.step) await this.#checkpoint(false);
    await this.#saving;
    const test = finished ? await this.#finish() : undefined;
    const { step, best } = this.#position;
    return {
      step,
      finished: finished && !(options.signal?.aborted === true && step < length.steps),
      ...(this.#validation && { validation: this.#validation }),
      ...(test && { test }),
      ...(best && { best }),
      waiting: this.#waited / Math.max(1, this.#busy),
      unreadable: this.#parts.feed.unreadable,
      run: this.#parts.run,
    };
  }

  /** False where it was told to stop. */
  async #updates(): Promise<boolean> {
    const { options, feed, engine, length } = this.#parts;
    const batches = feed.training(this.#position.step);
    try {
      let coming = batches.next();
      while (this.#position.step < length.steps) {
        if (options.signal?.aborted) return false;
        const asked = performance.now();
        const { value: batch } = await coming;
        const started = performance.now();
        const input = this.#input(batch!);
        const updated = engine.step(input);
        // The next batch is taken out of the loader while the device works on this one.
        coming = batches.next();
        coming.catch(() => undefined);
        const result = await updated;
        // Scaled less, a gradient may yet be finite.
        const lost = result.finite === false && input.lossScale === SMALLEST;
        if (!Number.isFinite(result.loss) || lost) throw await this.#explain(result.loss);
        this.#advance(input, result, started - asked, performance.now() - asked);
        await this.#boundary();
      }
      return true;
    } finally {
      await batches.return();
    }
  }

  #input({ images, labels }: { images: Float32Array; labels: Int32Array }): StepInput {
    const { recipe } = this.#parts.request;
    const { step, schedule, lossScale } = this.#position;
    const mixed = recipe.precision === "mixed";
    return {
      images,
      labels,
      learningRate: learningRate(recipe, step, this.#parts.length, schedule),
      key: `noise ${recipe.seed} ${step}`,
      ...(mixed && { lossScale: (lossScale ?? LOSS_SCALE_START).scale }),
    };
  }

  #advance({ learningRate, lossScale: scale }: StepInput, result: StepResult, waited: number, took: number): void {
    const { metrics, length, tell, request } = this.#parts;
    const { batch } = request.recipe;
    const { step: before, epoch, lossScale } = this.#position;
    const step = before + 1;
    this.#busy += took;
    this.#waited += waited;
    const line: StepMetrics = {
      kind: "step",
      step,
      epoch: step / length.stepsPerEpoch,
      loss: result.loss,
      error: 1 - result.correct / batch,
      learningRate,
      imagesPerSecond: round(batch / (took / 1000)),
      waiting: round(waited / took),
      seconds: this.#seconds(),
      ...(result.gradientNorm !== undefined && { gradientNorm: result.gradientNorm }),
      ...(scale !== undefined && { lossScale: scale }),
      ...(result.finite === false && { skipped: true }),
    };
    metrics.add(line);
    this.#events.scalars(step, {
      "train/loss": line.loss,
      "train/error": line.error,
      "train/learning_rate": learningRate,
      "speed/images_per_second": line.imagesPerSecond,
      "speed/waiting": line.waiting,
      ...(scale !== undefined && { "train/loss_scale": scale }),
    });
    this.#position = {
      ...this.#position,
      step,
      epoch: { images: epoch.images + batch, correct: epoch.correct + result.correct },
      ...(result.finite !== undefined && { lossScale: afterUpdate(lossScale ?? LOSS_SCALE_START, result.finite) }),
    };
    tell({ kind: "step", metrics: line });
  }

  /** What is done between two updates. */
  async #boundary(): Promise<void> {
    const { request, length, feed } = this.#parts;
    const { recipe } = request;
    const { step, epoch } = this.#position;
    const every = (interval: number | undefined): boolean =>
      step % (interval ?? length.stepsPerEpoch) === 0 || step === length.steps;
    if (step % length.stepsPerEpoch === 0) {
      const schedule = afterEpoch(recipe, this.#position.schedule, 1 - epoch.correct / epoch.images);
      this.#position = { ...this.#position, schedule, epoch: { images: 0, correct: 0 } };
    }
    let best = false;
    if (every(recipe.validateEvery) && feed.data.validation.size > 0) {
      const found = await this.#evaluate("validation", feed.data.validation, true);
      best = this.#position.best === undefined || found.error < this.#position.best.error;
      this.#position = {
        ...this.#position,
        schedule: afterValidation(recipe, this.#position.schedule, found.error),
        ...(best && { best: { step, error: found.error } }),
      };
      this.#validation = found;
      this.#parts.tell({ kind: "validation", metrics: found, best });
    }
    if (every(recipe.checkpointEvery) || best) await this.#checkpoint(best);
  }

  async #evaluate(kind: "validation" | "test", split: Split, centre: boolean): Promise<ValidationMetrics> {
    const { engine, feed, request, tell, metrics, length } = this.#parts;
    const averaged = request.recipe.emaDecay !== undefined;
    let sums = NOTHING;
    for await (const { images, labels, views } of feed.evaluate(split, evaluationBatch(request.recipe), centre)) {
      const scores = await engine.evaluate(images, averaged);
      sums = tally(sums, scores, labels, views);
      tell({ kind: "validating", done: sums.pictures, total: split.size });
    }
    const { step } = this.#position;
    const { loss, error, error5 } = errorsOf(sums);
    const line: ValidationMetrics = {
      kind,
      step,
      epoch: step / length.stepsPerEpoch,
      loss,
      error,
      error5,
      seconds: this.#seconds(),
    };
    metrics.add(line);
    this.#events.scalars(step, { [`${kind}/loss`]: loss, [`${kind}/error`]: error, [`${kind}/error5`]: error5 });
    return line;
  }

  /** State is copied now; the file is written while training goes on. One is written at a time. */
  async #checkpoint(best: boolean): Promise<void> {
    const { engine, metrics, program, identity, run, tell } = this.#parts;
    // What went wrong with the one before is told now.
    await this.#saving;
    const state = await engine.getState();
    const position = { ...this.#position, seconds: this.#seconds() };
    metrics.flush();
    this.#saved = position.step;
    const { methods = {} } = program.options;
    this.#saving = saveCheckpoint(run.checkpoints, { position, identity, methods, state }, program.state, best).then(
      (file) => tell({ kind: "checkpoint", file }),
    );
    this.#saving.catch(() => undefined);
  }

  /** Weights, model, and the last evaluation. */
  async #finish(): Promise<ValidationMetrics | undefined> {
    const { engine, request, run, feed, tell } = this.#parts;
    const { model, recipe, data } = request;
    let state: Values = await engine.getState();
    if (recipe.preciseStatistics > 0) {
      const precise = await preciseStatistics(engine, feed.calibration(recipe.preciseStatistics));
      // The averaged weights, where there are any, were not those that were measured.
      state = new Map([...state].map(([name, values]) => [name, precise.get(name) ?? values]));
      await engine.setState(state);
    }
    const equivalent = preprocessOf(feed.evaluation, feed.statistics, data.train.pictureSize);
    if (equivalent.unsaid.length > 0) {
      const message = `${run.model}: its preprocessing leaves out ${equivalent.unsaid.join(", ")}`;
      tell({ kind: "warning", message });
    }
    await writeTrained(run, model, trainedWeights(model, state), data.classes, equivalent);
    const split = data.test ?? data.validation;
    if (split.size === 0) return undefined;
    const test = await this.#evaluate("test", split, false);
    this.#parts.metrics.flush();
    return test;
  }

  /** The step that failed is made once more with its layers looked at. */
  async #explain(loss: number): Promise<TrainingError> {
    const { engine, program, feed, request } = this.#parts;
    const { step } = this.#position;
    const again = feed.training(step);
    const { value: batch } = await again.next();
    const input = this.#input(batch!);
    const cause = Number.isFinite(loss)
      ? "a gradient is not finite in fp16, though the loss is not scaled any more"
      : `the loss is not a number; the first that is not is ${await firstNotFinite(engine, program, input)}`;
    await again.return();
    const { recipe } = request;
    const advice = [
      `a lower learning rate than ${input.learningRate}`,
      ...(recipe.warmUp === undefined ? ["a warm-up (warm_up 0.01, steps: 500)"] : []),
      ...(recipe.clipNorm === undefined ? ["clip_norm 1"] : []),
      ...(recipe.precision === "mixed" ? ["precision fp32"] : []),
    ];
    return new TrainingError(`step ${step + 1}: ${cause}; try ${advice.join(", or ")}`);
  }

  #seconds(): number {
    return round(this.#before + (performance.now() - this.#began) / 1000);
  }
}

function round(value: number): number {
  return Number(value.toPrecision(4));
}
