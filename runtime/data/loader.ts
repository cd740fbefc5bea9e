/** Batches in Node, made by threads. */
import { availableParallelism } from "node:os";
import { setImmediate } from "node:timers/promises";
import { BatchLoader, type LoaderOptions } from "./batch-loader.js";
import { WorkerPool } from "./pool.js";
import { SAMPLES } from "./sample.js";

export type * from "./batch-loader.js";

const MOST_WORKERS = 32;

/** How many threads make data where nothing else is asked for, beside a consumer that is busy on so many cores. */
export function dataThreads(cores: number = availableParallelism(), busy = 1): number {
  return Math.min(MOST_WORKERS, Math.max(1, cores - busy));
}

/** Keeps its threads from one iteration to the next: for all batches of a program. */
export class Loader extends BatchLoader {
  constructor(options: LoaderOptions = {}) {
    super(options, {
      samples: SAMPLES,
      nextTurn: setImmediate,
      threads: {
        count: (cores) => dataThreads(cores),
        start: (count) => new WorkerPool(count),
      },
    });
  }
}
