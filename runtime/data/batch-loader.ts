/** Batches for a network: made ahead of it, by threads where there are some, in an order that follows from the seed alone. */
import { balancedPlan } from "./balanced.js";
import { isLabelled, type Split } from "./data-set.js";
import { groupedPlan, proportionOf } from "./detection/order.js";
import type { KeptProposals } from "./detection/proposals.js";
import { DetectionReader, type DetectionImage, type UnwaitedDetectionBatch } from "./detection/reader.js";
import { DataError } from "../data-error.js";
import { make, type Maker, type MadeInput, type PipelinePlan } from "./make.js";
import { evaluationPlan, trainingPlan, type BatchPlan } from "./order.js";
import { sharedPlan, type BatchShare } from "./shared-plan.js";
import { preparePipeline, type Pipeline } from "../images/transforms/pipeline.js";
import type { SampleReference, Samples } from "./samples.js";
import { SplitReader, type Unwaited } from "./split-reader.js";
import type { Size } from "../images/image.js";
import type { InputPlan } from "../images/model-input.js";
import type { Statistics } from "../images/statistics.js";
import type { TransformSettings } from "../images/transforms/index.js";

/** How batches are made ahead of their use. */
export interface LoaderOptions {
  /** Threads. Default: for files one fewer than the machine's cores; none for what is made faster than handed over. */
  readonly workers?: number;
  /** Cores of the machine that there are for this process. Default: all. */
  readonly cores?: number;
  /** Batches that are made before they are asked for, at most. Default: 2, or one more than the threads. */
  readonly prefetch?: number;
  /** An error instead of going on without an unreadable image. */
  readonly strict?: boolean;
  /** Told once of every image that can't be read, in one line that names it. */
  readonly onUnreadable?: (message: string) => void;
  /** Ends all iterations with its reason. */
  readonly signal?: AbortSignal;
}

/** Which batches {@link Loader.evaluation} gives. */
export interface EvaluationBatches {
  readonly split: Split;
  /** Samples of a batch. */
  readonly batch: number;
  readonly transforms: readonly TransformSettings[];
  /** Needed by `subtract_mean`. */
  readonly statistics?: Statistics;
  /** Channels of the network: 1 for images in grey. Default: as `normalize` says it in `color`, else 3. */
  readonly channels?: 1 | 3;
  /** So many of the batches from one on, where others look at the rest. Default: all. */
  readonly only?: { readonly first: number; readonly count: number };
}

/** Which batches {@link Loader.training} gives. */
export interface TrainingBatches extends Omit<EvaluationBatches, "only"> {
  /** The order and the augmentation follow from it. */
  readonly seed: number;
  /** Where to go on, in batches from the beginning of the training. Default 0. */
  readonly firstStep?: number;
  /** The batch to end before. Default: never. */
  readonly endStep?: number;
  /** Each class equally often. Default: every sample once an epoch. */
  readonly sampling?: "balanced";
  /** The images of each batch that are wanted, where others compute the rest. Default: all. */
  readonly share?: BatchShare;
}

/** Which batches {@link Loader.detection} gives. */
export interface DetectionBatches extends Pick<
  TrainingBatches,
  "split" | "batch" | "transforms" | "channels" | "seed" | "firstStep" | "endStep" | "share"
> {
  /** Those of the split that are used. */
  readonly images: readonly DetectionImage[];
  /** Heights and widths of the tensors; one at least has to hold what a batch needs. */
  readonly canvases: readonly Size[];
  /** Regions that were proposed for the images before, where the detector learns from those. */
  readonly proposals?: Pick<KeptProposals, "of">;
}

/** A batch, and how long it let the consumer wait. */
export interface Batch extends Unwaited {
  /** Milliseconds. */
  readonly waited: number;
}

/** A batch of a detector's training, and how long it let the consumer wait. */
export interface DetectionBatch extends UnwaitedDetectionBatch {
  /** Milliseconds. */
  readonly waited: number;
}

/** Milliseconds for which batches are made on the program's own thread before others get their turn. */
const TURN = 2;

/** The reason that batches fail with when the pool is closed before they are made. */
export class PoolClosed extends Error {
  constructor() {
    super("the data threads were closed");
    this.name = "PoolClosed";
  }
}

/**
 * Threads that make batches, and inputs of models. What they make rejects with a DataError that a thread found, with what
 * broke the pool, or with {@link PoolClosed}.
 */
export interface Pool {
  /** Makes a pipeline known to all threads. */
  batches(plan: PipelinePlan): Maker;
  /** The same of what a model is given of an image. */
  inputs<P extends InputPlan>(plan: P): (reference: SampleReference) => Promise<MadeInput<P>>;
  close(): Promise<void>;
}

/** What a loader needs of the machine that it runs on. */
export interface LoaderPlatform {
  readonly samples: Samples;
  /** Resolves when others had their turn on this thread. */
  readonly nextTurn: () => Promise<unknown>;
  /** Absent where there are none: all is made on this thread. */
  readonly threads?: {
    /** How many there are where nothing else is asked for. */
    readonly count: (cores: number | undefined) => number;
    readonly start: (count: number) => Pool;
  };
}

/** Keeps its threads from one iteration to the next: for all batches of a program. */
export class BatchLoader {
  readonly #options: LoaderOptions;
  readonly #platform: LoaderPlatform;
  readonly #unreadable = new Set<string>();
  #pool: Pool | undefined;
  #waited = 0;
  #isClosed = false;
  /** What is being made on this thread. */
  #before: Promise<unknown> = Promise.resolve();

  constructor(options: LoaderOptions, platform: LoaderPlatform) {
    const { workers, prefetch } = options;
    if (workers !== undefined && !isCount(workers, 0)) throw new DataError(`${workers} data threads are not possible`);
    if (prefetch !== undefined && !isCount(prefetch, 1))
      throw new DataError(`prefetch must be 1 or more, not ${prefetch}`);
    this.#options = options;
    this.#platform = platform;
  }

  /** Images that could not be read so far. */
  get unreadable(): number {
    return this.#unreadable.size;
  }

  /** Milliseconds that consumers waited so far, all batches together. */
  get waited(): number {
    return this.#waited;
  }

  /**
   * Shuffled batches of equal size, epoch after epoch; what is left over at the end of an epoch is dropped. An
   * unreadable sample is replaced by the one after it in the split.
   *
   * @throws {DataError} at once for transforms that don't fit, in the iteration for data that don't
   */
  training(options: TrainingBatches): AsyncGenerator<Batch, void, void> {
    const { split, batch, seed, firstStep, endStep, sampling, share } = options;
    if (sampling === "balanced" && !isLabelled(split)) {
      throw new DataError("sampling balanced: only images with a class each can be balanced");
    }
    const plan =
      sampling === "balanced" && isLabelled(split)
        ? balancedPlan(split, batch, seed, firstStep, endStep)
        : trainingPlan(split.size, batch, seed, firstStep, endStep);
    return this.#batches(options, sharedPlan(plan, share), seed, true);
  }

  /** Every sample once, in order; the last batch may be smaller. An unreadable sample is left out. */
  evaluation(options: EvaluationBatches): AsyncGenerator<Batch, void, void> {
    const plan = evaluationPlan(options.split.size, options.batch);
    const { first, count } = options.only ?? { first: 0, count: plan.end };
    return this.#batches(options, { ...plan, first, end: first + count }, 0, false);
  }

  /**
   * Batches of images with their objects, of like proportions, pass after pass without end. An unreadable image is replaced
   * by the one after it that has its proportions.
   *
   * @throws {DataError} at once for transforms that don't fit, in the iteration for data that don't
   */
  detection(options: DetectionBatches): AsyncGenerator<DetectionBatch, void, void> {
    const { split, images, batch, transforms, channels: asked, canvases, seed, firstStep, endStep } = options;
    const { proposals, share } = options;
    const { channels, make, info, kept } = this.#prepared(split, {
      kind: "pipeline",
      transforms,
      ...(asked && { channels: asked }),
    });
    const plan = sharedPlan(
      groupedPlan(
        images.map(({ size }) => proportionOf(size)),
        batch,
        seed,
        firstStep,
        endStep,
      ),
      share,
    );
    const reader = new DetectionReader(
      { images, reference: split.reference, canvases, seed, channels, info, kept, ...(proposals && { proposals }) },
      make,
      (message) => this.#reportUnreadable(message),
    );
    return this.#iterate(plan, split, (step) => reader.batch(step, plan));
  }

  /** Ends the threads; iterations that are under way fail. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#pool?.close();
    await this.#before;
  }

  #batches(
    options: EvaluationBatches,
    plan: BatchPlan,
    seed: number,
    replace: boolean,
  ): AsyncGenerator<Batch, void, void> {
    const { split, transforms, statistics, channels: asked } = options;
    const { channels, views, make } = this.#prepared(split, {
      kind: "pipeline",
      transforms,
      ...(statistics && { statistics }),
      ...(asked && { channels: asked }),
      ...(split.imageSize && { from: split.imageSize }),
    });
    const source = new SplitReader(split, seed, { channels, views }, make, (message) =>
      this.#reportUnreadable(message),
    );
    return this.#iterate(plan, split, (step) => source.batch(step, plan, replace));
  }

  /** @throws {DataError} at once and not in the iteration, so that a mistake is told before anything is started */
  #prepared(
    split: Split,
    plan: PipelinePlan,
  ): Pick<Pipeline, "channels" | "views" | "info" | "kept"> & { readonly make: Maker } {
    const pipeline = preparePipeline(plan.transforms, plan);
    const workers = this.#workers(split);
    const maker = once(() => (workers === 0 ? this.#makerHere(pipeline) : this.#makerInThreads(workers, plan)));
    const { channels, views, info, kept } = pipeline;
    return { channels, views, info, kept, make: (order) => maker()(order) };
  }

  #workers({ isLight }: Split): number {
    const { threads } = this.#platform;
    if (threads === undefined) return 0;
    return this.#options.workers ?? (isLight ? 0 : threads.count(this.#options.cores));
  }

  async *#iterate<B extends object>(
    plan: BatchPlan,
    split: Split,
    make: (step: number) => Promise<B | undefined>,
  ): AsyncGenerator<B & Pick<Batch, "waited">, void, void> {
    const { signal, prefetch = Math.max(2, this.#workers(split) + 1) } = this.#options;
    const ahead: Promise<B | undefined>[] = [];
    let next = plan.first;
    const fill = () => {
      for (; ahead.length < prefetch && next < plan.end; next++) {
        const promise = make(next);
        // It is told when its turn comes.
        promise.catch(() => undefined);
        ahead.push(promise);
      }
    };
    try {
      signal?.throwIfAborted();
      for (fill(); ahead.length > 0; fill()) {
        const asked = performance.now();
        const batch = await orAborted(ahead.shift()!, signal);
        const waited = performance.now() - asked;
        this.#waited += waited;
        // The next ones are begun before the consumer works on this one.
        fill();
        if (batch) yield { ...batch, waited };
      }
    } finally {
      if (signal?.aborted) await this.close();
    }
  }

  #makerInThreads(workers: number, plan: PipelinePlan): Maker {
    const pool = (this.#pool ??= this.#platform.threads!.start(workers));
    return pool.batches(plan);
  }

  /** One batch after the other on this thread, which is busy for a moment at a time only. */
  #makerHere(pipeline: Pipeline): Maker {
    const { samples, nextTurn } = this.#platform;
    let began = performance.now();
    const pause = () => {
      if (this.#isClosed) throw new PoolClosed();
      if (performance.now() - began < TURN) return undefined;
      return nextTurn().then(() => void (began = performance.now()));
    };
    return (order) => {
      const made = this.#before.then(() => make(order, pipeline, samples, pause));
      this.#before = made.catch(() => undefined);
      return made;
    };
  }

  #reportUnreadable(message: string): void {
    if (this.#options.strict) throw new DataError(message);
    if (this.#unreadable.has(message)) return;
    this.#unreadable.add(message);
    this.#options.onUnreadable?.(message);
  }
}

function isCount(value: number, least: number): boolean {
  return Number.isInteger(value) && value >= least && value <= 1024;
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

/** The promise, or the signal's reason as soon as it is given. */
function orAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason as Error);
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort, { once: true });
    void promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
