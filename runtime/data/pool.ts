/** Threads that make batches, and inputs of models that run. */
import { Worker } from "node:worker_threads";
import { pixelCount } from "../images/memory.js";
import type { BatchOrder } from "./batch.js";
import { DataError } from "../data-error.js";
import { PoolClosed, type Pool } from "./batch-loader.js";
import type { InputPlan } from "../images/model-input.js";
import type { Made, MadeInput, Maker, Order, PipelinePlan, Plan, Result } from "./make.js";
import type { SampleReference } from "./samples.js";
import { threadArguments } from "../thread-arguments.js";

/** To a thread. */
export type Request =
  | { readonly kind: "plan"; readonly id: number; readonly plan: Plan }
  | { readonly kind: "order"; readonly id: number; readonly plan: number; readonly order: Order }
  | { readonly kind: "close" };

/** From a thread, one for each order. */
export type Reply =
  | { readonly kind: "made"; readonly id: number; readonly made: Result["made"] }
  | { readonly kind: "stopped"; readonly id: number }
  /** `expected`: the message is for the user. */
  | { readonly kind: "failed"; readonly id: number; readonly message: string; readonly expected: boolean };

/** Given to a thread when it starts. */
export interface WorkerData {
  /** One number that becomes 1 when the threads are to stop at the next sample. */
  readonly stop: Int32Array;
  /** Pixels that are being decoded, over all threads. */
  readonly pixels: Int32Array<SharedArrayBuffer>;
}

interface Job {
  readonly request: Extract<Request, { kind: "order" }>;
  readonly done: (made: Result["made"]) => void;
  readonly failed: (error: Error) => void;
}

interface Thread {
  readonly worker: Worker;
  readonly ended: Promise<void>;
  /** By their ids. */
  readonly jobs: Map<number, Job>;
}

/** Orders are carried out as they come, as many at once as each of the threads takes. */
export class WorkerPool implements Pool {
  readonly #threads: Thread[] = [];
  readonly #waiting: Job[] = [];
  readonly #stop = new Int32Array(new SharedArrayBuffer(4));
  #broken: Error | undefined;
  readonly #each: number;
  #plans = 0;
  #orders = 0;
  #closing: Promise<void> | undefined;

  /**
   * @param size threads
   * @param each orders that a thread has at a time. With one more than it needs it begins the next without being told, and
   *   while its decoder, which has a thread of its own, works on another
   */
  constructor(size: number, each = 1) {
    this.#each = each;
    for (let i = 0; i < size; i++) this.#threads.push(this.#start());
  }

  batches(plan: PipelinePlan): Maker {
    const id = this.#add(plan);
    return <O extends BatchOrder>(order: O) => this.#ask(id, order) as Promise<Made<O>>;
  }

  inputs<P extends InputPlan>(plan: P): (reference: SampleReference) => Promise<MadeInput<P>> {
    const id = this.#add(plan);
    return (reference) => this.#ask(id, reference) as Promise<MadeInput<P>>;
  }

  /** Makes a plan known to all threads. */
  #add(plan: Plan): number {
    const id = this.#plans++;
    for (const { worker } of this.#threads) worker.postMessage({ kind: "plan", id, plan } satisfies Request);
    return id;
  }

  #ask(plan: number, order: Order): Promise<Result["made"]> {
    return new Promise((done, failed) => {
      if (this.#broken) return failed(this.#broken);
      this.#waiting.push({ request: { kind: "order", id: this.#orders++, plan, order }, done, failed });
      this.#next();
    });
  }

  /** Waits until every thread has ended; none is killed in the middle of an image. */
  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    Atomics.store(this.#stop, 0, 1);
    this.#fail(new PoolClosed());
    for (const { worker } of this.#threads) {
      worker.ref();
      worker.postMessage({ kind: "close" } satisfies Request);
    }
    await Promise.all(this.#threads.map(({ ended }) => ended));
  }

  #start(): Thread {
    const worker = new Worker(new URL("./data-worker.js", import.meta.url), {
      workerData: { stop: this.#stop, pixels: pixelCount() } satisfies WorkerData,
      name: "resnetc data",
      execArgv: threadArguments(),
    });
    // An idle thread keeps no program alive that forgot to close the pool.
    worker.unref();
    const ended = new Promise<void>((resolve) => worker.once("exit", () => resolve()));
    const thread: Thread = { worker, ended, jobs: new Map() };
    worker.on("message", (reply: Reply) => this.#answer(thread, reply));
    worker.on("error", (error) => this.#fail(new DataError(`a data thread failed: ${firstLine(error)}`)));
    worker.on("exit", () => {
      if (!this.#closing) this.#fail(new DataError("a data thread ended unexpectedly"));
    });
    return thread;
  }

  #next(): void {
    while (this.#waiting.length > 0) {
      const thread = this.#threads.reduce((a, b) => (b.jobs.size < a.jobs.size ? b : a));
      if (thread.jobs.size >= this.#each) return;
      const job = this.#waiting.shift()!;
      thread.jobs.set(job.request.id, job);
      thread.worker.ref();
      thread.worker.postMessage(job.request);
    }
  }

  #answer(thread: Thread, reply: Reply): void {
    const job = thread.jobs.get(reply.id);
    thread.jobs.delete(reply.id);
    // Whoever closes the pool waits for the end.
    if (!this.#closing && thread.jobs.size === 0) thread.worker.unref();
    if (reply.kind === "made") job?.done(reply.made);
    else if (reply.kind === "stopped") job?.failed(this.#broken ?? new PoolClosed());
    else
      job?.failed(reply.expected ? new DataError(reply.message) : new Error(`a data thread failed: ${reply.message}`));
    this.#next();
  }

  /** All orders that are not carried out yet fail, and all that will be given. */
  #fail(error: Error): void {
    this.#broken ??= error;
    const jobs = [...this.#threads.flatMap(({ jobs: own }) => [...own.values()]), ...this.#waiting.splice(0)];
    for (const job of jobs) job.failed(this.#broken);
  }
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n", 1)[0]!;
}
