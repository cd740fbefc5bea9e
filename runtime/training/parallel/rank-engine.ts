/**
 * An engine whose updates are those of all ranks: each computes its share of the batch, the sums go over all ranks at once, and
 * each makes the same update from them. What a rank can't do, and that it was told to stop, goes with the sums: so all know of it
 * at the same place.
 */
import type { TrainingGraphs } from "../../../compiler/training/graphs.js";
import { everywhere, together } from "../../parallel/agree.js";
import { sumAsHalves } from "../../parallel/halves.js";
import type { Ranks } from "../../parallel/ranks.js";
import type { DividedEngine, Engine, StepInput, StepResult, Values } from "../engine.js";
import { sumsOf, type Place } from "../sums.js";

/** A signal to stop, as one rank may be given it, and as all of them come to know of it. */
export class AgreedStop {
  readonly #agreed = new AbortController();
  readonly #asked: AbortSignal | undefined;

  constructor(asked: AbortSignal | undefined) {
    this.#asked = asked;
  }

  /** Aborted on all ranks after the same update. */
  get signal(): AbortSignal {
    return this.#agreed.signal;
  }

  get isAsked(): boolean {
    return this.#asked?.aborted === true && !this.signal.aborted;
  }

  /** Called on every rank. The reason is that of the first that was asked. */
  async agree(ranks: Ranks): Promise<void> {
    const reasons = await together(ranks, () => (this.isAsked ? String(this.#asked!.reason) : undefined));
    this.#agreed.abort(reasons.find((reason) => reason !== undefined));
  }
}

export class RankEngine implements Engine {
  readonly #inner: DividedEngine;
  readonly #ranks: Ranks;
  readonly #graphs: TrainingGraphs;
  readonly #stop: AgreedStop;
  readonly #halves: boolean;

  /** @param halves gradients go from rank to rank in half precision */
  constructor(inner: DividedEngine, ranks: Ranks, graphs: TrainingGraphs, stop: AgreedStop, halves: boolean) {
    this.#inner = inner;
    this.#halves = halves;
    this.#ranks = ranks;
    this.#graphs = graphs;
    this.#stop = stop;
  }

  get device(): Engine["device"] {
    return this.#inner.device;
  }

  get deviceReason(): string {
    return this.#inner.deviceReason;
  }

  setState: Engine["setState"] = (state) => this.#inner.setState(state);
  getState: Engine["getState"] = () => this.#inner.getState();
  evaluate: Engine["evaluate"] = (...given) => this.#inner.evaluate(...given);
  probe: Engine["probe"] = (...given) => this.#inner.probe(...given);
  close: Engine["close"] = () => this.#inner.close();

  async step(input: StepInput): Promise<StepResult> {
    let sums: Float32Array;
    try {
      sums = await this.#inner.gradients(input);
    } catch (error) {
      return this.abandon(error, input.phase);
    }
    await this.#combine(sums, input.phase);
    return this.#inner.update(settingsOf(input), sums);
  }

  /** In place of a step: throws on all ranks. */
  async abandon(error: unknown, phase?: number): Promise<never> {
    await this.#combine(new Float32Array(sumsOf(this.#graphs, phase).length), phase, { error });
    throw error;
  }

  /** Of the images of all ranks: the mean of what each found in its own. */
  async statistics(images: Float32Array, before: number): Promise<Values> {
    const { share } = this.#graphs;
    const own = await this.#inner.statistics(images, before);
    const sums = Float32Array.from([...own.values()].flatMap((values) => [...values]));
    sums.forEach((value, at) => (sums[at] = (value * share!.count) / share!.of));
    await this.#ranks.allreduce(sums, "sum");
    let at = 0;
    return new Map([...own].map(([name, { length }]) => [name, sums.subarray(at, (at += length))]));
  }

  async #combine(sums: Float32Array, phase: number | undefined, failure?: { readonly error: unknown }): Promise<void> {
    const places = sumsOf(this.#graphs, phase);
    const [failed, asked] = [places.failed.start, places.asked.start];
    sums[failed] = failure ? 1 : 0;
    sums[asked] = this.#stop.isAsked ? 1 : 0;
    const gradients = sums.subarray(0, this.#halves ? lengthOf(places.gradients) : 0);
    await this.#ranks.allreduce(sums.subarray(gradients.length), "sum");
    if (sums[failed] > 0) {
      await together(this.#ranks, () => {
        if (failure) throw failure.error;
      });
      throw everywhere(new Error("a rank failed, and does not say why"));
    }
    if (gradients.length > 0) await sumAsHalves(this.#ranks, gradients);
    if (sums[asked] > 0) await this.#stop.agree(this.#ranks);
  }
}

/** They are at the beginning of the sums. */
const lengthOf = (places: readonly Place[]): number => places.reduce((total, { length }) => total + length, 0);

/** Without the images, which may have been handed over. */
function settingsOf({ learningRate, phase, emaDecay, lossScale, key }: StepInput) {
  return {
    learningRate,
    key,
    ...(phase !== undefined && { phase }),
    ...(emaDecay !== undefined && { emaDecay }),
    ...(lossScale !== undefined && { lossScale }),
  };
}
