/** The course of a training: updates, validations, checkpoints, and what it ends in. */
import { emaDecayAt, type TrainingProgram } from "../../compiler/training/contract.js";
import type { Split } from "../data/data-set.js";
import type { Group } from "../parallel/group.js";
import { firstNotFinite, NOWHERE } from "./diagnose.js";
import { engineBatch, type Engine, type EngineBatch, type StepInput, type StepResult, type Values } from "./engine.js";
import { TrainingError } from "./error.js";
import { progressAfter, reasonToStop } from "./early-stopping.js";
import { trainedWeights } from "./export.js";
import { compared, lossesByName, shortfall, type Judged } from "./judge.js";
import { afterUpdate, LOSS_SCALE_START, SMALLEST } from "./loss-scale.js";
import type { StepMetrics, ValidationMetrics } from "./metrics.js";
import { phaseOf, thawSteps } from "./phases.js";
import type { Position } from "./position.js";
import type { Records } from "./records.js";
import { afterEpoch, afterValidation, learningRate, type TrainingLength } from "./schedule.js";
import type { Exported, TrainEvent, TrainOptions, TrainRequest, TrainResult } from "./request.js";
import type { Subject, SubjectJudge } from "./subject.js";

/** Which part of a training it is. */
export interface CoursePhase {
  /** Absent where the recipe is not made of phases. */
  readonly name?: string;
  /** Updates before it. */
  readonly before: number;
  /** It ends in a model. */
  readonly isLast: boolean;
}

/** How a course ended, or where it was stopped. */
export interface CourseResult extends Omit<TrainResult, "run"> {
  /** Of a phase that is over: where it ended, and with which weights. */
  readonly over?: { readonly position: Position; readonly weights: ReadonlyMap<string, Float32Array> };
}

/** What a course is made of. */
export interface Parts {
  /** With the recipe of the phase. */
  readonly request: Pick<TrainRequest, "model" | "recipe">;
  readonly options: Pick<TrainOptions, "threads" | "strict" | "signal" | "images" | "best" | "between">;
  readonly records: Records;
  readonly feed: Subject;
  readonly engine: Engine;
  readonly program: TrainingProgram;
  /** Of the phase. */
  readonly length: TrainingLength;
  readonly phase: CoursePhase;
  /** All of them take the same course; the first keeps the records. */
  readonly group: Group;
  readonly emit: (event: TrainEvent) => void;
  /** What several do before something is kept: tell what each found, and compare their states. */
  readonly beforeKeeping?: (state: Values, step: number) => Promise<void>;
}

/** What it ended in. */
interface Done {
  readonly exported: Exported;
  readonly test?: ValidationMetrics;
}

/** The updates of a training, or of a phase of one, and what is done between and after them. */
export class Course {
  readonly #parts: Parts;
  readonly #judge: SubjectJudge;
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
    const { engine, options, emit, records, group } = parts;
    this.#judge = parts.feed.judge({ engine, options, emit, group, ...records.shown });
  }

  async run(): Promise<CourseResult> {
    const { feed, length, phase, group } = this.#parts;
    let done: Done | undefined;
    let over: CourseResult["over"];
    try {
      await this.#updates();
      await this.#save();
      this.#noticeEarlyEnd();
      if (phase.isLast) done = await this.#finish();
      else over = await this.#handOver();
    } catch (error) {
      if (!this.#isStop(error)) {
        // Data that can't be read may be mended: nothing of what was learned is lost.
        if (this.#isOfData(error)) await this.#save().catch(() => undefined);
        throw error;
      }
      await this.#save();
    }
    const unreadable = await group.together(() => feed.unreadable);
    const { step, best } = this.#position;
    return {
      step,
      finished: done !== undefined,
      ...(this.#validation && { validation: this.#validation }),
      ...(done?.test && { test: done.test }),
      ...(best && { best }),
      ...(done && { exported: done.exported }),
      ...(done && this.#made < length.steps && { stoppedEarly: this.#noBetter()! }),
      ...(over && { over }),
      waiting: this.#waited / Math.max(1, this.#busy),
      unreadable: unreadable.reduce((sum, count) => sum + count, 0),
    };
  }

  /** Updates of this phase. */
  get #made(): number {
    return this.#position.step - this.#parts.phase.before;
  }

  /** It was told to stop: not by what went wrong. */
  #isStop(error: unknown): boolean {
    const { signal } = this.#parts.options;
    return signal?.aborted === true && error === signal.reason;
  }

  /** What one rank alone knows of is no place for others to save something at. */
  #isOfData(error: unknown): boolean {
    return error instanceof Error && error.name === "DataError" && this.#parts.group.isCommon(error);
  }

  async #save(): Promise<void> {
    if (this.#saved !== this.#position.step) await this.#checkpoint(false);
    await this.#parts.group.onFirst(() => this.#saving);
  }

  /** Throws the signal's reason where it is told to stop. */
  async #updates(): Promise<void> {
    const { options, feed, engine, length } = this.#parts;
    if (this.#position.validationDue) await this.#boundary();
    const batches = feed.training(this.#made);
    try {
      let coming = batches.next();
      coming.catch(() => undefined);
      while (this.#made < length.steps && this.#noBetter() === undefined) {
        await options.between?.();
        options.signal?.throwIfAborted();
        const asked = performance.now();
        const batch = await this.#arrived(coming);
        const started = performance.now();
        const input = this.#input(batch);
        // Of the first batch of each run, before the engine takes its buffer.
        if (this.#busy === 0) await this.#judge.show(this.#position.step, batch);
        const updated = engine.step(input);
        // The next batch is taken out of the loader while the device works on this one.
        coming = batches.next();
        coming.catch(() => undefined);
        const result = await updated;
        // Scaled less, a gradient may yet be finite.
        const lost = result.finite === false && input.lossScale === SMALLEST;
        if (!Number.isFinite(result.loss) || lost) throw await this.#explain(result.loss);
        this.#advance(input, result, started - asked, performance.now() - asked);
        this.#endOfEpoch();
        await this.#boundary();
      }
    } finally {
      await batches.return();
    }
  }

  async #arrived(coming: Promise<IteratorResult<EngineBatch, void>>): Promise<EngineBatch> {
    try {
      return (await coming).value!;
    } catch (error) {
      await this.#parts.engine.abandon?.(error, this.#thawed);
      throw error;
    }
  }

  /** Which of the graphs an update is made by, where parts thaw. */
  get #thawed(): number | undefined {
    const { length, request } = this.#parts;
    return request.recipe.thaws && phaseOf(thawSteps(request.recipe, length), this.#made);
  }

  #noticeEarlyEnd(): void {
    const { emit, length, phase } = this.#parts;
    const reason = this.#made < length.steps ? this.#noBetter() : undefined;
    const what = phase.name === undefined ? "" : `phase ${phase.name} `;
    if (reason !== undefined)
      emit({ kind: "notice", message: `${what}ended after ${this.#made} of ${length.steps} updates: ${reason}` });
  }

  /** Why training ends before its time; undefined where it goes on. */
  #noBetter(): string | undefined {
    const { earlyStop } = this.#parts.request.recipe;
    return reasonToStop(earlyStop, this.#position.progress, this.#judge.measure);
  }

  #input(batch: EngineBatch): StepInput {
    const { length } = this.#parts;
    const { recipe } = this.#parts.request;
    const { step, schedule, lossScale } = this.#position;
    const mixed = recipe.precision === "mixed";
    const made = this.#made;
    const phase = this.#thawed;
    return {
      ...engineBatch(batch),
      learningRate: learningRate(recipe, made, length, schedule),
      ...(phase !== undefined && { phase }),
      ...(recipe.emaWarmUp && { emaDecay: emaDecayAt(recipe.emaDecay ?? 0, made) }),
      key: `noise ${recipe.seed} ${step}`,
      ...(mixed && { lossScale: (lossScale ?? LOSS_SCALE_START).scale }),
    };
  }

  #advance({ learningRate, lossScale: scale }: StepInput, result: StepResult, waited: number, took: number): void {
    const { records, emit, request } = this.#parts;
    const { batch } = request.recipe;
    const { step: before, epoch, lossScale } = this.#position;
    const step = before + 1;
    this.#busy += took;
    this.#waited += waited;
    const line: StepMetrics = {
      kind: "step",
      ...this.#place(step),
      loss: result.loss,
      ...(result.losses.length > 0 && { losses: lossesByName(result.losses) }),
      ...(result.correct !== undefined && { error: 1 - result.correct / batch }),
      learningRate,
      imagesPerSecond: round(batch / (took / 1000)),
      waiting: round(waited / took),
      seconds: this.#seconds(),
      ...(result.gradientNorm !== undefined && { gradientNorm: result.gradientNorm }),
      ...(scale !== undefined && { lossScale: scale }),
      ...(result.finite === false && { skipped: true }),
    };
    records.add(line);
    records.scalars(step, {
      "train/loss": line.loss,
      ...byName("train/loss", line.losses ?? {}),
      ...(line.error !== undefined && { "train/error": line.error }),
      "train/learning_rate": learningRate,
      "speed/images_per_second": line.imagesPerSecond,
      "speed/waiting": line.waiting,
      ...(scale !== undefined && { "train/loss_scale": scale }),
      ...(result.gradientNorm !== undefined && { "train/gradient_norm": result.gradientNorm }),
    });
    this.#position = {
      ...this.#position,
      step,
      epoch: { images: epoch.images + batch, correct: epoch.correct + (result.correct ?? 0) },
      ...(result.finite !== undefined && { lossScale: afterUpdate(lossScale ?? LOSS_SCALE_START, result.finite) }),
    };
    emit({ kind: "step", metrics: line });
  }

  /** Where in the training an update is. */
  #place(step: number): Pick<StepMetrics, "step" | "phase" | "epoch"> {
    const { phase, length } = this.#parts;
    const epoch = (step - phase.before) / length.stepsPerEpoch;
    return { step, ...(phase.name !== undefined && { phase: phase.name }), epoch };
  }

  #endOfEpoch(): void {
    const { request, length } = this.#parts;
    const { epoch } = this.#position;
    if (this.#made % length.stepsPerEpoch !== 0) return;
    const schedule = afterEpoch(request.recipe, this.#position.schedule, 1 - epoch.correct / epoch.images);
    this.#position = { ...this.#position, schedule, epoch: { images: 0, correct: 0 } };
  }

  /** What is done between two updates. A validation that was cut short is due when training goes on. */
  async #boundary(): Promise<void> {
    const { request, length, feed } = this.#parts;
    const { recipe } = request;
    const made = this.#made;
    const every = (interval: number | undefined): boolean =>
      made % (interval ?? length.stepsPerEpoch) === 0 || made === length.steps;
    const isMeasured = this.#judge.measure !== undefined && feed.data.validation.size > 0;
    const { validationDue = every(recipe.validateEvery) && isMeasured } = this.#position;
    const best = validationDue && (await this.#validate());
    if (every(recipe.checkpointEvery) || best) await this.#checkpoint(best);
  }

  /** Whether it is the best so far. */
  async #validate(): Promise<boolean> {
    const { request, feed, emit } = this.#parts;
    const { earlyStop } = request.recipe;
    this.#position = { ...this.#position, validationDue: true };
    const found = await this.#evaluate("validation", feed.data.validation);
    const { validationDue: _made, ...position } = this.#position;
    const { step } = position;
    const reached = shortfall(found);
    const isNumber = found.loss === undefined || Number.isFinite(found.loss);
    const best = isNumber && (position.best === undefined || reached < shortfall(position.best));
    this.#position = {
      ...position,
      schedule: afterValidation(request.recipe, position.schedule, reached),
      ...(best && { best: { step, ...compared(found) } }),
      ...(earlyStop && { progress: progressAfter(earlyStop, position.progress, reached) }),
    };
    this.#validation = found;
    // What was saved is without it.
    this.#saved = -1;
    if (!isNumber) {
      emit({ kind: "warning", message: `step ${step}: scores of validation images are not numbers` });
    }
    emit({ kind: "validation", metrics: found, best });
    return best;
  }

  async #evaluate(kind: "validation" | "test", split: Split): Promise<ValidationMetrics> {
    const { records, options } = this.#parts;
    const { step } = this.#position;
    options.signal?.throwIfAborted();
    const judged = await this.#judge.judge(kind, split, step);
    const line: ValidationMetrics = {
      kind,
      ...this.#place(step),
      ...judged,
      seconds: this.#seconds(),
    };
    records.add(line);
    records.scalars(step, scalarsOf(kind, line));
    if (line.raw) records.scalars(step, scalarsOf("validation_raw", line.raw));
    return line;
  }

  /** State is copied now; the file is written while training goes on. One is written at a time. */
  async #checkpoint(best: boolean): Promise<void> {
    const { engine, records, emit, group, beforeKeeping } = this.#parts;
    await group.onFirst(async () => {
      // What went wrong with the one before is told now.
      await this.#saving;
      records.flush();
      records.check();
    });
    const state = await engine.getState();
    await beforeKeeping?.(state, this.#position.step);
    const position = { ...this.#position, seconds: this.#seconds() };
    this.#saved = position.step;
    this.#saving = records.checkpoint({ position, state }, best).then((file) => {
      if (file !== undefined) emit({ kind: "checkpoint", file });
    });
    this.#saving.catch(() => undefined);
  }

  /** What the next phase begins with: the averages, where this one has some. */
  async #handOver(): Promise<NonNullable<CourseResult["over"]>> {
    const { engine, request } = this.#parts;
    const state = await this.#judge.finish(await engine.getState());
    const position = { ...this.#position, seconds: this.#seconds() };
    return { position, weights: trainedWeights(request.model, state) };
  }

  /** Weights, model, and the last evaluation. */
  async #finish(): Promise<Done> {
    const { engine, request, options, records, feed, emit, group } = this.#parts;
    const { data, leftOut } = feed;
    const exported = options.best ? await this.#takeBest() : { from: "last" as const, step: this.#position.step };
    const state = await this.#judge.finish(await engine.getState());
    if (leftOut.length > 0) {
      emit({ kind: "warning", message: `${records.model}: its preprocessing leaves out ${leftOut.join(", ")}` });
    }
    await group.onFirst(async () => {
      records.check();
      await records.finish(request.model, trainedWeights(request.model, state), feed.trained);
    });
    const split = data.test ?? data.validation;
    if (split.size === 0) return { exported };
    // The validation's images may just have been looked at: with these weights, and by these transforms.
    const last = this.#validation;
    const isKnown =
      split === data.validation &&
      last?.step === this.#position.step &&
      exported.from === "last" &&
      this.#judge.isWhole;
    const test = isKnown ? { ...last, kind: "test" as const } : await this.#evaluate("test", split);
    if (isKnown) records.add(test);
    records.flush();
    return { exported, test };
  }

  /** The state of the best checkpoint, in place of the last. */
  async #takeBest(): Promise<Exported> {
    const { engine, records, group } = this.#parts;
    const { position, state } = await group.onFirst(() => records.best());
    await engine.setState(state);
    const { best, step } = position;
    const { step: _step, ...reached } = best ?? {};
    return { from: "best", step, ...reached };
  }

  /** The step that failed is made once more with its layers looked at. */
  async #explain(loss: number): Promise<TrainingError> {
    const { engine, program, feed, request, group } = this.#parts;
    const { step } = this.#position;
    const again = feed.training(this.#made);
    const { value: batch } = await again.next();
    const input = this.#input(batch!);
    const looked = Number.isFinite(loss) ? [] : await group.together(() => firstNotFinite(engine, program, input));
    // Of several ranks one may have computed it, and given it to the others.
    const first = looked.find((found) => found !== NOWHERE) ?? NOWHERE;
    const cause = Number.isFinite(loss)
      ? "a gradient is not finite in fp16, though the loss is not scaled any more"
      : `the loss is not a number; the first that is not is ${first}`;
    await again.return();
    const { recipe } = request;
    const advice = [
      `a lower learning rate than ${input.learningRate}`,
      ...(recipe.warmUp === undefined ? ["a warm-up (warm_up 0.01, steps: 500)"] : []),
      ...(recipe.clipNorm === undefined ? ["clip_norm 1"] : []),
      ...(recipe.precision === "mixed" ? ["precision fp32"] : []),
    ];
    return group.common(new TrainingError(`step ${step + 1}: ${cause}; try ${advice.join(", or ")}`));
  }

  #seconds(): number {
    return round(this.#before + (performance.now() - this.#began) / 1000);
  }
}

function round(value: number): number {
  return Number(value.toPrecision(4));
}

/** What a validation measured, as TensorBoard is told. */
function scalarsOf(
  chart: string,
  { loss, losses = {}, error, error5, mAP, f1, AP, AP50, maskAP, AR }: Judged,
): Readonly<Record<string, number>> {
  return {
    ...(loss !== undefined && { [`${chart}/loss`]: loss }),
    ...byName(`${chart}/loss`, losses),
    ...(error !== undefined && { [`${chart}/error`]: error }),
    ...(AP !== undefined && { [`${chart}/AP`]: AP }),
    ...(AP50 !== undefined && { [`${chart}/AP50`]: AP50 }),
    ...(maskAP !== undefined && { [`${chart}/maskAP`]: maskAP }),
    ...(AR !== undefined && { [`${chart}/AR`]: AR }),
    ...(error5 !== undefined && { [`${chart}/error5`]: error5 }),
    ...(mAP !== undefined && { [`${chart}/mAP`]: mAP }),
    ...(f1 && { [`${chart}/F1_micro`]: f1.micro, [`${chart}/F1_macro`]: f1.macro }),
  };
}

/** Numbers under the names that TensorBoard shows in one chart. */
function byName(chart: string, numbers: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(numbers).map(([name, value]) => [`${chart}/${name}`, value]));
}
