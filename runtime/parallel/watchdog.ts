/** Ends this process when a call that keeps its thread busy does not come back: nothing else in the process could. */
import { Worker } from "node:worker_threads";
import { threadArguments } from "../thread-arguments.js";

/** Given to the thread when it starts. */
export interface WatchdogData {
  /** When the call began that is being made, by Date.now(); 0 where none is. */
  readonly since: BigInt64Array;
  /** Milliseconds. */
  readonly limit: number;
  /** Who it is, for the message. */
  readonly name: string;
}

export class Watchdog {
  readonly #since = new BigInt64Array(new SharedArrayBuffer(8));
  readonly #worker: Worker;

  /** @param limit milliseconds that a call may take */
  constructor(limit: number, name: string) {
    this.#worker = new Worker(new URL("./watchdog-thread.js", import.meta.url), {
      workerData: { since: this.#since, limit, name } satisfies WatchdogData,
      name: "resnetc watchdog",
      execArgv: threadArguments(),
    });
    this.#worker.unref();
  }

  /** Makes a call under supervision. */
  watch<T>(call: () => T): T {
    Atomics.store(this.#since, 0, BigInt(Date.now()));
    try {
      return call();
    } finally {
      Atomics.store(this.#since, 0, 0n);
    }
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}
