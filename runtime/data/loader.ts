/** Batches in Node, made by threads. */
import { availableParallelism } from "node:os";
import { setImmediate } from "node:timers/promises";
import { BatchLoader, type LoaderOptions } from "./batch-loader.js";
import { WorkerPool } from "./pool.js";
import { SAMPLES } from "./sample.js";

export type * from "./batch-loader.js";

const MOST_WORKERS = 32;

/** Keeps its threads from one iteration to the next: for all batches of a program. */
export class Loader extends BatchLoader {
  constructor(options: LoaderOptions = {}) {
    super(options, {
      samples: SAMPLES,
      nextTurn: setImmediate,
      threads: {
        count: (cores = availableParallelism()) => Math.min(MOST_WORKERS, Math.max(1, cores - 1)),
        start: (count) => new WorkerPool(count),
      },
    });
  }
}
