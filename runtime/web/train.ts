/** Training in a browser: the graphs, the data's order, the augmentation and the course of a training in Node. */
import { concat } from "../../compiler/emit/onnx.js";
import type { ParameterValues } from "../../compiler/emit/parameters.js";
import type { Model } from "../../compiler/model.js";
import type { Recipe } from "../../compiler/recipe.js";
import { recipeProblems } from "../../compiler/recipe-rules.js";
import { emitTrainingGraphs } from "../../compiler/training/graphs.js";
import { planPhases } from "../../compiler/training/phase-plan.js";
import { BatchLoader } from "../data/batch-loader.js";
import type { DataSet } from "../data/data-set.js";
import { READERS, samplesBy } from "../data/samples.js";
import { beginning } from "../training/beginning.js";
import { checkClassifier, classifierSubject } from "../training/classifier.js";
import { Course } from "../training/course.js";
import type { Engine } from "../training/engine.js";
import { asTrainingError, TrainingError } from "../training/error.js";
import { trainedModel, trainedWeights } from "../training/export.js";
import { channelsFor, feedBy } from "../training/feed.js";
import { checkRequest } from "../training/fit.js";
import { ALONE } from "../parallel/group.js";
import { GraphEngine } from "../training/graph-engine.js";
import { initialState } from "../training/initial-state.js";
import type { Metrics } from "../training/metrics.js";
import { planTraining, tellBeginning } from "../training/plan.js";
import { START } from "../training/position.js";
import type { Kept, Records } from "../training/records.js";
import type { TrainEvent, TrainOptions, TrainResult } from "../training/request.js";
import type { Subject, SubjectRequest } from "../training/subject.js";
import type { WebOptions } from "./options.js";
import { loadOrt } from "./ort.js";

/** What is trained, how, and on what. */
export interface WebTrainRequest {
  /** A classifier, of `elaborate`. */
  readonly model: Model;
  /** Of `elaborateRecipe`. */
  readonly recipe: Recipe;
  /** Of {@link openShapes} or {@link openImages}. */
  readonly data: DataSet;
}

/** How a training in a browser runs; the recipe says what it computes. */
export interface WebTrainOptions extends WebOptions, Pick<TrainOptions, "strict" | "best" | "between" | "onEvent"> {
  /** Initial weights, by parameter path: `loadWeights(model, bytes, name, { newHead: true }).values`. */
  readonly weights?: ParameterValues;
  /** Goes on from where another training of the same request was stopped: its `kept`. */
  readonly from?: SavedTraining;
  /** Ends training after the update that is being made; what it has learned so far is in the result. */
  readonly signal?: AbortSignal;
}

/** How a training ended, or where it was stopped. */
export interface WebTrainResult extends Omit<TrainResult, "run"> {
  /** Everything that was measured, in order. */
  readonly metrics: readonly Metrics[];
  /** The weights by their paths, as the model has them. */
  readonly weights: ReadonlyMap<string, Float32Array>;
  /** The trained model, an ONNX file with its preprocessing and its labels. Of a training that was stopped, as it was then. */
  readonly onnx: Uint8Array;
  /** Where it was and what it remembers, to go on from. */
  readonly kept: SavedTraining;
}

/** A place in a training: plain data, which a worker can hand to another. */
export interface SavedTraining {
  /** What it remembers besides the state; its form is not settled. */
  readonly position: object & { readonly step: number };
  /** All tensors of the training by their names, flat, row-major. */
  readonly state: ReadonlyMap<string, Float32Array>;
}

/**
 * Trains a classifier.
 *
 * What is computed is what Node computes: the same graphs on the same batches. It is best done in a worker, which WebAssembly
 * keeps busy, and whose memory is given back when it is ended.
 *
 * @throws {TrainingError} where model, recipe and data do not fit together, for detectors and recipes that are made of
 *   phases, which are trained in Node, and where the loss stops being a number
 * @throws {SessionError | DataError} for devices and data that can't be used
 */
export async function train(given: WebTrainRequest, options: WebTrainOptions = {}): Promise<WebTrainResult> {
  const { recipe, data } = given;
  const names = { target: given.model.name, recipe: recipe.name, data: data.name };
  checkRequest({ ...given, names }, options, checkHere);
  const model = beginning(given);
  if (asTrainingError(() => planPhases(model, recipe)).length > 1) {
    throw new TrainingError(`recipe ${recipe.name}: is made of phases, which are trained in Node`);
  }
  const request: SubjectRequest = { model, recipe, data, names };
  const emit = (event: TrainEvent): void => options.onEvent?.(event);
  [...data.warnings, ...recipeProblems(recipe).map(({ message }) => message)].forEach((message) =>
    emit({ kind: "warning", message }),
  );
  const { ort, choice } = await loadOrt(options);
  const channels = channelsFor(model);
  const feed = classifierSubject(
    request,
    await feedBy(loader(options, emit), data, recipe, { ...(channels && { channels }) }),
  );
  let engine: Engine | undefined;
  try {
    const plan = planTraining(model, recipe, feed, feed.settings(choice.device, 0));
    const [program, ...others] = plan.build({});
    const { weights, from } = options;
    const before = from ? undefined : { weights };
    tellBeginning({ model, recipe, data, feed, settings: plan.settings[0], weights, before }, emit);
    const graphs = emitTrainingGraphs(program, recipe.accumulate, others);
    feed.checkShape(graphs.stepShape);
    engine = new GraphEngine({ ...ort, writesInto: false }, graphs, choice);
    const begun = (from as Kept | undefined) ?? {
      position: START,
      state: initialState(model, program.state, recipe.seed, weights),
    };
    await engine.setState(begun.state);
    const { length } = plan;
    const { step } = begun.position;
    const { device, deviceReason } = engine;
    emit({ kind: "start", device, deviceReason, step, length, batch: recipe.batch, tuned: 0 });
    const memory = new Memory(begun);
    const phase = { before: 0, isLast: true };
    const parts = { request, options, records: memory, feed, engine, program, length, phase, group: ALONE, emit };
    const result = await new Course(parts, begun.position).run();
    return { ...result, ...memory.result(model, feed) };
  } finally {
    await feed.close();
    await engine?.close();
  }
}

function checkHere(request: SubjectRequest): void {
  const { model } = request;
  if (model.detection) throw new TrainingError(`${model.name} is a detector: detectors are trained in Node`);
  checkClassifier(request);
}

function loader({ strict, signal }: WebTrainOptions, emit: (event: TrainEvent) => void): BatchLoader {
  return new BatchLoader(
    {
      ...(strict !== undefined && { strict }),
      ...(signal && { signal }),
      onUnreadable: (message) => emit({ kind: "warning", message }),
    },
    { samples: samplesBy(READERS), nextTurn },
  );
}

/** As browsers have it; Node's ports have other types. */
interface Channel {
  readonly port1: { onmessage: () => void; close(): void };
  readonly port2: { postMessage(message: undefined): void };
}

/** Messages to a page or a worker come in between. A timer would wait for four milliseconds. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel() as unknown as Channel;
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}

/** What a training is kept in where there are no files: the last place, and the best. */
class Memory implements Records {
  readonly shown = {};
  readonly model = "the trained model";
  readonly #metrics: Metrics[] = [];
  #kept: Kept;
  #best: Kept | undefined;
  #weights: ReadonlyMap<string, Float32Array> | undefined;

  constructor(begun: Kept) {
    this.#kept = begun;
  }

  add(metrics: Metrics): void {
    this.#metrics.push(metrics);
  }

  scalars(): void {}
  flush(): void {}
  check(): void {}

  async checkpoint(kept: Kept, best: boolean): Promise<undefined> {
    this.#kept = kept;
    if (best) this.#best = kept;
  }

  async best(): Promise<Kept> {
    if (this.#best) return this.#best;
    throw new TrainingError("no validation has been the best yet");
  }

  async finish(_model: Model, weights: ReadonlyMap<string, Float32Array>): Promise<void> {
    this.#weights = weights;
  }

  result(model: Model, { trained }: Subject): Pick<WebTrainResult, "metrics" | "weights" | "onnx" | "kept"> {
    const weights = this.#weights ?? trainedWeights(model, this.#kept.state);
    const { chunks, byteLength, external } = trainedModel(model, weights, trained);
    if (external) throw new TrainingError(`${model.name} is too large for one file`);
    return { metrics: this.#metrics, weights, onnx: concat(chunks, byteLength), kept: this.#kept };
  }
}
