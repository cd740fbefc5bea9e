/** The engine on a build of ONNX Runtime, in the thread that calls it, which is busy while a graph runs. */
import type { InferenceSession, Tensor } from "#onnxruntime";
import { randomStream } from "../../compiler/emit/random.js";
import { evaluate } from "../../compiler/ir/dim.js";
import { lossOfName } from "../../compiler/ir/names.js";
import { nextName, NUMBERS } from "../../compiler/training/contract.js";
import { heldValues, partValues, sizeOf } from "../../compiler/training/held.js";
import type { Device } from "../../compiler/device.js";
import { createSession, FALLS_BACK, trainingProvider, type Ort } from "../onnx/create.js";
import type { DeviceChoice } from "../onnx/session-types.js";
import { readable } from "../onnx/readable.js";
import { SessionError } from "../onnx/session-error.js";
import type {
  DividedEngine,
  EngineBatch,
  Evaluated,
  NamedLoss,
  StepInput,
  StepResult,
  UpdateInput,
  Values,
} from "./engine.js";
import { putAt, scale, sumsOf, valuesAt, type Place } from "./sums.js";
import type { CanvasGraphs, EmittedGraph, PhaseGraphs, TrainingGraphs } from "../../compiler/training/graphs.js";

type Feeds = Record<string, Tensor>;

/** How a build of ONNX Runtime is used. */
export interface EngineRuntime extends Ort {
  /** Whether results are written into tensors that are given for them. */
  readonly writesInto: boolean;
}

export class GraphEngine implements DividedEngine {
  readonly #runtime: EngineRuntime;
  readonly #graphs: TrainingGraphs;
  readonly #threads: number | undefined;
  readonly #sessions = new Map<string, Promise<InferenceSession>>();
  readonly #state = new Map<string, Tensor>();
  /** On the processor: where the next values of a tensor are written, so that nothing is allotted for a step. */
  readonly #spare = new Map<string, Tensor>();
  /** Sums of the last update, to be filled again. */
  #sums: Float32Array = new Float32Array();
  #phase: number | undefined;
  readonly device: Device;
  deviceReason: string;

  constructor(runtime: EngineRuntime, graphs: TrainingGraphs, choice: DeviceChoice, threads?: number) {
    this.#runtime = runtime;
    this.#graphs = graphs;
    this.#threads = threads;
    this.device = choice.device;
    this.deviceReason = choice.reason;
  }

  async setState(state: Values): Promise<void> {
    this.#release(this.#state.values());
    for (const held of this.#graphs.held) {
      // A copy: a spare of it is written to.
      this.#state.set(
        held.name,
        this.#tensor(
          heldValues(held, (name) => state.get(name)!),
          held.shape,
        ),
      );
    }
    if (!this.#staysOnDevice) return;
    const { identity } = this.#graphs;
    const up = await this.#run(identity, this.#feedsOf(identity), { key: "up", onDevice: true });
    for (const name of identity.writes) this.#state.set(name, up[nextName(name)]!);
  }

  async getState(): Promise<Values> {
    const { identity, held, state } = this.#graphs;
    const down = this.#staysOnDevice && (await this.#run(identity, this.#feedsOf(identity), { key: "down" }));
    const valuesOf = (name: string): Float32Array => {
      if (down) return down[nextName(name)]!.data as Float32Array;
      return (this.#state.get(name)!.data as Float32Array).slice();
    };
    const values = new Map(held.flatMap((each) => partValues(each, valuesOf(each.name))));
    return new Map(state.map(({ name }) => [name, values.get(name)!]));
  }

  async step(input: StepInput): Promise<StepResult> {
    const phase = await this.#phaseOf(input);
    return phase.accumulate ? this.#stepInParts(input, phase) : this.#wholeStep(input, phase);
  }

  async gradients(input: StepInput): Promise<Float32Array> {
    const { step } = await this.#phaseOf(input);
    const { parts, share } = this.#graphs;
    const { gradients, statistics, numbers, length } = sumsOf(this.#graphs, input.phase);
    const sums = this.#sums.length === length ? this.#sums : new Float32Array(length);
    this.#sums = new Float32Array();
    // A first part writes its gradients to their places.
    const into = this.#writesInPlace ? Object.fromEntries(this.#tensorsAt(sums, gradients)) : {};
    for (let part = 0; part < parts; part++) {
      const isFirst = part === 0;
      const how = { next: true, ...(isFirst && { into }) };
      const results = await this.#run(step, this.#stepFeeds(step, input, part), how);
      for (const place of [...gradients, ...numbers]) {
        if (isFirst && place.name in into) continue;
        putAt(sums, place, results[place.name]!.data as Float32Array, !isFirst);
      }
      const isFinite = Number.isFinite(resultOf(results).loss);
      this.#settle(step, results, isFinite);
      if (!isFinite) return sums;
    }
    for (const place of statistics) putAt(sums, place, await this.#valuesOf(place.name), false);
    const own = share ? share.count / share.of : 1;
    // The gradients are of their share already. Of how many are right the sum is asked for, of the rest the mean.
    for (const place of statistics) scale(sums, place, own);
    for (const place of numbers) if (place.name !== "correct") scale(sums, place, own / parts);
    return sums;
  }

  async update(input: UpdateInput, sums: Float32Array): Promise<StepResult> {
    const { update } = (await this.#phaseOf(input)).accumulate!;
    const { gradients, statistics, numbers } = sumsOf(this.#graphs, input.phase);
    this.#sums = sums;
    const total = resultOf(Object.fromEntries(this.#tensorsAt(sums, numbers)));
    if (!Number.isFinite(total.loss)) return total;
    for (const place of statistics) {
      this.#release([this.#state.get(place.name)!]);
      this.#state.set(place.name, this.#tensor(valuesAt(sums, place).slice(), place.shape));
    }
    const feeds = { ...this.#feedsOf(update), ...Object.fromEntries(this.#tensorsAt(sums, gradients)) };
    this.#settings(update, input, feeds);
    const results = await this.#run(update, feeds, { next: true });
    this.#settle(update, results, true);
    return { ...total, ...flags(results) };
  }

  /** By name: what is at these places, not copied. */
  #tensorsAt(sums: Float32Array, places: readonly Place[]): (readonly [string, Tensor])[] {
    return places.map((place) => [place.name, this.#tensor(valuesAt(sums, place), place.shape)]);
  }

  /** A copy of a tensor of the state, wherever it is. */
  async #valuesOf(name: string): Promise<Float32Array> {
    const tensor = this.#state.get(name)!;
    return (tensor.location === "gpu-buffer" ? await tensor.getData() : tensor.data) as Float32Array;
  }

  /** The graphs of a step; those of the phase before are given up. */
  async #phaseOf(input: Pick<StepInput, "phase" | "canvas">): Promise<PhaseGraphs> {
    const index = input.phase ?? this.#graphs.phases.length - 1;
    if (this.#phase !== index) await this.#leavePhase(index);
    return this.#canvasOf(input).phases[index]!;
  }

  /** The graphs for images of this size. */
  #canvasOf({ canvas = 0 }: Pick<EngineBatch, "canvas">): CanvasGraphs {
    return this.#graphs.canvases?.[canvas] ?? this.#graphs;
  }

  /** Sessions of the phase before hold memory that the next one needs. */
  async #leavePhase(next: number): Promise<void> {
    const { canvases = [this.#graphs] } = this.#graphs;
    const left = this.#phase === undefined ? [] : canvases.map(({ phases }) => phases[this.#phase!]!);
    const names = left.flatMap(({ step, accumulate }) => [step, accumulate?.sum, accumulate?.update]);
    this.#phase = next;
    for (const [key, session] of this.#sessions) {
      if (!names.some((graph) => graph !== undefined && key.startsWith(`${graph.name} `))) continue;
      this.#sessions.delete(key);
      await (await session).release();
    }
  }

  async #wholeStep(input: StepInput, { step }: PhaseGraphs): Promise<StepResult> {
    const results = await this.#run(step, this.#stepFeeds(step, input, 0), { next: true });
    const result = resultOf(results);
    this.#settle(step, results, Number.isFinite(result.loss));
    return result;
  }

  /** Gradients of one part after the other, added up where they are made. */
  async #stepInParts(input: StepInput, { step, accumulate }: PhaseGraphs): Promise<StepResult> {
    const { parts } = this.#graphs;
    const { sum, update, gradients } = accumulate!;
    const share = this.#scalar(1 / parts);
    let sums: Feeds = {};
    for (const { sum: name, shape } of gradients) sums[name] = this.#tensor(new Float32Array(sizeOf(shape)), shape);
    const total: Writable<StepResult> = { loss: 0, losses: [], finite: true };
    for (let part = 0; part < parts; part++) {
      const results = await this.#run(step, this.#stepFeeds(step, input, part), { next: true, onDevice: true });
      const result = resultOf(results);
      total.loss += result.loss / parts;
      if (result.correct !== undefined) total.correct = (total.correct ?? 0) + result.correct;
      total.losses = addedUp(total.losses, result.losses, 1 / parts);
      this.#settle(step, results, Number.isFinite(result.loss));
      const given = Object.fromEntries(gradients.map(({ gradient }) => [gradient, results[gradient]!]));
      const added = await this.#run(sum, { share, ...given, ...sums }, { onDevice: true });
      this.#release([...Object.values(sums), ...Object.values(given)]);
      sums = Object.fromEntries(gradients.map((each) => [each.sum, added[nextName(each.sum)]!]));
      if (!Number.isFinite(total.loss)) break;
    }
    if (!Number.isFinite(total.loss)) {
      this.#release(Object.values(sums));
      return total;
    }
    const feeds: Feeds = this.#feedsOf(update);
    for (const { gradient, sum: name } of gradients) feeds[gradient] = sums[name]!;
    this.#settings(update, input, feeds);
    const results = await this.#run(update, feeds, { next: true });
    this.#release(Object.values(sums));
    this.#settle(update, results, true);
    return { ...resultOf(results), ...total, ...flags(results) };
  }

  async evaluate({ images, targets }: EngineBatch, averaged: boolean): Promise<Evaluated> {
    const { evaluate, evaluateOne, evaluationShape, classes, image } = this.#graphs;
    if (evaluate === undefined) {
      if (images.length === 0) return { scores: new Float32Array() };
      throw new TypeError("a detector is judged as it is used");
    }
    const [batch, ...shape] = evaluationShape as [number, ...number[]];
    const each = sizeOf(shape);
    const total = wholes(images.length, each);
    const scores = new Float32Array(total * classes);
    const stated = evaluate.outputs.filter((name) => lossOfName(name) !== undefined);
    const wanted = ["logits", ...(stated.length > 0 ? ["loss", ...stated] : [])];
    let [loss, losses]: [number, readonly NamedLoss[]] = [0, []];
    for (let first = 0; first < total;) {
      // A loss is a mean over what a graph is given: images that only fill a batch would be part of it.
      const one = evaluateOne !== undefined && total - first < batch;
      const [graph, size] = one ? [evaluateOne, 1] : [evaluate, batch];
      const full = new Float32Array(size * each);
      const part = images.subarray(first * each, (first + size) * each);
      full.set(part);
      const feeds = { ...this.#feedsOf(graph, averaged), ...this.#targets(graph, { targets }, first) };
      feeds[image] = this.#tensor(full, [size, ...shape]);
      const results = await this.#run(graph, feeds, { wanted });
      const logits = results["logits"]!.data as Float32Array;
      const there = part.length / each;
      scores.set(logits.subarray(0, there * classes), first * classes);
      if (stated.length > 0) {
        const result = resultOf(results);
        loss += (result.loss * there) / total;
        losses = addedUp(losses, result.losses, there / total);
      }
      first += there;
    }
    return { scores, ...(stated.length > 0 && { stated: { loss, losses } }) };
  }

  async statistics(images: Float32Array, before: number): Promise<Values> {
    const { statistics, held } = this.#graphs;
    if (statistics === undefined) return new Map();
    const feeds = this.#stepFeeds(statistics, { images, targets: {}, learningRate: 0, key: "statistics" }, 0);
    const written = held.filter(({ name }) => statistics.writes.includes(name));
    for (const { name, shape } of written) {
      feeds[name] = this.#tensor(new Float32Array(sizeOf(shape)).fill(before), shape);
    }
    const results = await this.#run(statistics, feeds, {});
    return new Map(written.flatMap((each) => partValues(each, results[nextName(each.name)]!.data as Float32Array)));
  }

  async probe(graph: EmittedGraph, input: StepInput): Promise<ReadonlyMap<string, number>> {
    const results = await this.#run(graph, this.#stepFeeds(graph, input, 0), {});
    return new Map(graph.outputs.map((name) => [name, Number(results[name]!.data[0])]));
  }

  async close(): Promise<void> {
    this.#release(this.#state.values());
    this.#state.clear();
    const sessions = await Promise.allSettled(this.#sessions.values());
    this.#sessions.clear();
    for (const session of sessions) if (session.status === "fulfilled") await session.value.release();
  }

  // ---- feeds

  /** State stays in a GPU's memory; CUDA's tensors can't be kept there in Node. */
  get #staysOnDevice(): boolean {
    return this.device === "webgpu";
  }

  get #writesInPlace(): boolean {
    return this.#runtime.writesInto && !this.#staysOnDevice;
  }

  #feedsOf(graph: EmittedGraph, averaged = false): Feeds {
    const averages = new Map(averaged ? this.#graphs.held.map(({ name, average = name }) => [name, average]) : []);
    const tensorOf = (name: string): Tensor => this.#state.get(averages.get(name) ?? name)!;
    return Object.fromEntries(graph.reads.map((name) => [name, tensorOf(name)]));
  }

  #stepFeeds(graph: EmittedGraph, input: StepInput, part: number): Feeds {
    const { image } = this.#graphs;
    const { stepShape } = this.#canvasOf(input);
    const feeds = this.#feedsOf(graph);
    const size = sizeOf(stepShape);
    const images = input.images.subarray(part * size, (part + 1) * size);
    if (graph.inputs.includes(image) && wholes(images.length, size) === 1)
      feeds[image] = this.#tensor(images, stepShape);
    Object.assign(feeds, this.#targets(graph, input, part * stepShape[0]!));
    this.#settings(graph, input, feeds);
    for (const { name, shape } of graph.noise) {
      const random = randomStream(`${input.key} ${part} ${name}`);
      const lengths = shape.map((dim) => evaluate(dim, input.sizes));
      const length = sizeOf(lengths);
      // Images come first: those of others before our own have theirs.
      const { share } = this.#graphs;
      for (let other = 0; share && other < (length / share.count) * share.first; other++) random();
      feeds[name] = this.#tensor(Float32Array.from({ length }, random), lengths);
    }
    return feeds;
  }

  #settings(graph: EmittedGraph, { learningRate, lossScale, emaDecay }: UpdateInput, feeds: Feeds): void {
    if (graph.inputs.includes("learning_rate")) feeds["learning_rate"] = this.#scalar(learningRate);
    if (graph.inputs.includes("loss_scale")) feeds["loss_scale"] = this.#scalar(lossScale ?? 1);
    if (graph.inputs.includes("ema_decay")) feeds["ema_decay"] = this.#scalar(emaDecay ?? 0);
  }

  #tensor(data: Float32Array, shape: readonly number[]): Tensor {
    return new this.#runtime.Tensor("float32", data, shape);
  }

  #scalar(value: number): Tensor {
    return this.#tensor(Float32Array.of(value), []);
  }

  /** What the data say of the images from one on; where there are fewer than the graph takes, the rest is 0. */
  #targets({ name: graph, targets }: EmittedGraph, given: Omit<EngineBatch, "images">, first: number): Feeds {
    const tensors = targets.map(({ name, shape: dims, dtype }): [string, Tensor] => {
      const all = given.targets[name];
      const shape = dims.map((dim) => evaluate(dim, given.sizes));
      if (all === undefined) throw new SessionError(`${graph}: needs ${name} of its images`);
      const size = sizeOf(shape);
      const start = (first * size) / shape[0]!;
      const values = all.subarray(start, start + size);
      if (dtype === "int64") {
        const numbers = new BigInt64Array(size);
        values.forEach((value, index) => (numbers[index] = BigInt(value)));
        return [name, new this.#runtime.Tensor("int64", numbers, shape)];
      }
      if (dtype !== "float32") throw new SessionError(`${graph}: its input ${name} is ${dtype}, which no data fill`);
      const full = new Float32Array(size);
      full.set(values);
      return [name, this.#tensor(full, shape)];
    });
    return Object.fromEntries(tensors);
  }

  // ---- runs

  /**
   * @param next next state is written where it stays: in the spare tensors, or on the device
   * @param onDevice all tensors (but single numbers) stay on the device, where that is possible
   * @param into on the processor: what these outputs are written to
   * @param key for another session of the same graph
   */
  async #run(
    graph: EmittedGraph,
    feeds: Feeds,
    how: {
      readonly next?: boolean;
      readonly onDevice?: boolean;
      readonly wanted?: readonly string[];
      readonly into?: Feeds;
      readonly key?: string;
    },
  ): Promise<Record<string, Tensor>> {
    const stays = this.#staysOnDevice && (how.next === true || how.onDevice === true);
    const session = await this.#session(graph, `${graph.name} ${how.key ?? ""}`, stays, how.onDevice === true);
    const fetches: Record<string, Tensor | null> = Object.fromEntries(
      (how.wanted ?? graph.outputs).map((name) => [name, how.into?.[name] ?? null]),
    );
    if (how.next === true && this.#writesInPlace) {
      for (const name of graph.writes) fetches[nextName(name)] = this.#spareFor(name);
    }
    try {
      return this.#apart(graph, await session.run(feeds, fetches));
    } catch (error) {
      throw new SessionError(`${graph.name}: ${readable(error)}`, { cause: error });
    }
  }

  /** Numbers that came together, each by its name. */
  #apart({ numbers = [] }: EmittedGraph, results: Record<string, Tensor>): Record<string, Tensor> {
    const values = results[NUMBERS]?.data as Float32Array | undefined;
    if (values === undefined) return results;
    return { ...results, ...Object.fromEntries(numbers.map((name, at) => [name, this.#scalar(values[at]!)])) };
  }

  #spareFor(name: string): Tensor {
    let spare = this.#spare.get(name);
    if (spare === undefined) {
      const { data, dims } = this.#state.get(name)!;
      spare = this.#tensor(new Float32Array(data.length), dims);
      this.#spare.set(name, spare);
    }
    return spare;
  }

  /** Takes over the next state, or drops it. */
  #settle({ writes }: EmittedGraph, results: Record<string, Tensor>, good: boolean): void {
    for (const name of writes) {
      const next = results[nextName(name)]!;
      if (!this.#writesInPlace) {
        this.#release([good ? this.#state.get(name)! : next]);
        if (good) this.#state.set(name, next);
      } else if (good) {
        const spare = this.#spare.get(name)!;
        this.#spare.set(name, this.#state.get(name)!);
        this.#state.set(name, spare);
      }
    }
  }

  /** What is in a device's memory has to be given back; the rest is JavaScript's. */
  #release(tensors: Iterable<Tensor>): void {
    for (const tensor of tensors) if (tensor.location === "gpu-buffer") tensor.dispose();
  }

  #session(graph: EmittedGraph, key: string, stays: boolean, all: boolean): Promise<InferenceSession> {
    let session = this.#sessions.get(key);
    if (session === undefined) {
      const next = new Set(graph.writes.map(nextName));
      const places = graph.outputs.map((name): [string, "gpu-buffer" | "cpu"] => {
        const isNumber = name === NUMBERS || SINGLE.has(name) || lossOfName(name) !== undefined;
        return [name, !isNumber && (all || next.has(name)) ? "gpu-buffer" : "cpu"];
      });
      session = this.#open(graph, stays ? { preferredOutputLocation: Object.fromEntries(places) } : {});
      this.#sessions.set(key, session);
    }
    return session;
  }

  async #open(graph: EmittedGraph, more: InferenceSession.SessionOptions): Promise<InferenceSession> {
    try {
      const { session, fallsBack } = await createSession(this.#runtime, graph.onnx, this.device, {
        executionProviders: [trainingProvider(this.device)],
        ...(this.#threads !== undefined && { intraOpNumThreads: this.#threads }),
        ...more,
      });
      const note = `; ${FALLS_BACK}`;
      if (fallsBack && !this.deviceReason.endsWith(note)) this.deviceReason += note;
      return session;
    } catch (error) {
      throw new SessionError(`${graph.name}: ${readable(error)}`, { cause: error });
    }
  }
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** Outputs that are looked at after every step, where they do not come together. */
const SINGLE: ReadonlySet<string> = new Set(["loss", "correct", "correct5", "finite", "gradient_norm"]);

function resultOf(results: Record<string, Tensor>): StepResult {
  const number = (name: string): number => Number(results[name]?.data[0] ?? 0);
  return {
    loss: number("loss"),
    losses: Object.keys(results).flatMap((output): readonly NamedLoss[] => {
      const name = lossOfName(output);
      return name === undefined ? [] : [{ name, loss: number(output) }];
    }),
    ...(results["correct"] && { correct: number("correct") }),
    ...flags(results),
  };
}

/** Sums of parts, each a share of the whole. */
function addedUp(losses: readonly NamedLoss[], more: readonly NamedLoss[], share: number): readonly NamedLoss[] {
  return more.map(({ name, loss }, index) => ({ name, loss: (losses[index]?.loss ?? 0) + loss * share }));
}

function flags(results: Record<string, Tensor>): Pick<StepResult, "finite" | "gradientNorm"> {
  const { finite, gradient_norm: norm } = results;
  return {
    ...(finite && { finite: Number(finite.data[0]) !== 0 }),
    ...(norm && { gradientNorm: Number(norm.data[0]) }),
  };
}

/** A flat array is cut by the engine's own shape: one of another shape would be cut into something else. None is none. */
function wholes(length: number, each: number): number {
  if (length % each === 0) return length / each;
  throw new SessionError(`${length} values are no images of ${each} values each`);
}
