/**
 * An engine in a thread of its own. A graph keeps the thread that runs it busy until it is done; here that is not the
 * thread that makes batches, shows progress and listens to Ctrl-C.
 */
import { Worker } from "node:worker_threads";
import { SessionError } from "../onnx/session-error.js";
import type { Device } from "../onnx/device.js";
import type { DividedEngine, Engine, EngineOptions } from "./engine.js";
import type { TrainingGraphs } from "../../compiler/training/graphs.js";
import { threadArguments } from "../thread-arguments.js";

/** Given to the thread when it starts. */
export interface EngineData {
  readonly graphs: TrainingGraphs;
  readonly options: EngineOptions;
}

type Method = {
  [K in keyof DividedEngine]-?: DividedEngine[K] extends (...given: never[]) => unknown ? K : never;
}[keyof DividedEngine];

export interface EngineRequest {
  readonly id: number;
  readonly method: Method;
  readonly parameters: readonly unknown[];
}

export type EngineReply =
  | { readonly id: number; readonly value: unknown; readonly device: Device; readonly deviceReason: string }
  | {
      readonly id: number;
      readonly error: { readonly name: string; readonly message: string; readonly stack?: string };
    };

/** @throws {SessionError} where the device can't be used */
export async function openRemoteEngine(graphs: TrainingGraphs, options: EngineOptions): Promise<DividedEngine> {
  const engine = new RemoteEngine({ graphs, options });
  try {
    await engine.ready();
    return engine;
  } catch (error) {
    await engine.close().catch(() => undefined);
    throw error;
  }
}

interface Call {
  readonly done: (value: unknown) => void;
  readonly failed: (error: Error) => void;
}

class RemoteEngine implements DividedEngine {
  readonly #worker: Worker;
  readonly #calls = new Map<number, Call>();
  readonly #ended: Promise<void>;
  #last = 0;
  #broken: Error | undefined;
  device: Device = "cpu";
  deviceReason = "";

  constructor(data: EngineData) {
    this.#worker = new Worker(new URL("./engine-thread.js", import.meta.url), {
      workerData: data,
      name: "resnetc training",
      execArgv: threadArguments(),
    });
    this.#worker.on("message", (reply: EngineReply) => this.#answer(reply));
    this.#worker.on("error", (error) => this.#fail(error instanceof Error ? error : new Error(String(error))));
    this.#ended = new Promise((resolve) => {
      this.#worker.once("exit", () => {
        this.#fail(new SessionError("the training thread ended"));
        resolve();
      });
    });
  }

  async ready(): Promise<void> {
    await this.#call("evaluate", [{ images: new Float32Array(), targets: {} }, false]);
  }

  setState: Engine["setState"] = (...given) => this.#call("setState", given) as Promise<void>;
  getState: Engine["getState"] = () => this.#call("getState", []) as ReturnType<Engine["getState"]>;
  step: Engine["step"] = (...given) => this.#call("step", given) as ReturnType<Engine["step"]>;
  gradients: DividedEngine["gradients"] = (...given) =>
    this.#call("gradients", given) as ReturnType<DividedEngine["gradients"]>;
  update: DividedEngine["update"] = (...given) => this.#call("update", given) as ReturnType<DividedEngine["update"]>;
  evaluate: Engine["evaluate"] = (...given) => this.#call("evaluate", given) as ReturnType<Engine["evaluate"]>;
  statistics: Engine["statistics"] = (...given) => this.#call("statistics", given) as ReturnType<Engine["statistics"]>;
  probe: Engine["probe"] = (...given) => this.#call("probe", given) as ReturnType<Engine["probe"]>;

  async close(): Promise<void> {
    if (this.#broken === undefined) await this.#call("close", []);
    await this.#ended;
  }

  #call(method: Method, parameters: readonly unknown[]): Promise<unknown> {
    return new Promise((done, failed) => {
      if (this.#broken) return failed(this.#broken);
      const id = ++this.#last;
      this.#calls.set(id, { done, failed });
      this.#worker.postMessage({ id, method, parameters } satisfies EngineRequest, transferable(parameters));
    });
  }

  #answer(reply: EngineReply): void {
    const call = this.#calls.get(reply.id);
    this.#calls.delete(reply.id);
    if ("error" in reply) call?.failed(revived(reply.error));
    else {
      this.device = reply.device;
      this.deviceReason = reply.deviceReason;
      call?.done(reply.value);
    }
  }

  #fail(error: Error): void {
    this.#broken ??= error;
    for (const { failed } of this.#calls.values()) failed(this.#broken);
    this.#calls.clear();
  }
}

/**
 * Images and sums are handed over, not copied: who gave them does not read them again. Views of a larger buffer are copied all the
 * same.
 */
function transferable(parameters: readonly unknown[]): ArrayBuffer[] {
  const [first] = parameters;
  const images = (first as { images?: unknown } | undefined)?.images;
  return [...parameters, images].flatMap((each) => wholeBuffer(each));
}

/** The buffer of an array that is all of it. */
export function wholeBuffer(values: unknown): ArrayBuffer[] {
  const isWhole =
    values instanceof Float32Array &&
    values.buffer instanceof ArrayBuffer &&
    values.byteLength > 0 &&
    values.byteLength === values.buffer.byteLength;
  return isWhole ? [values.buffer] : [];
}

/** An error of the other thread, of a class that callers know it by. */
function revived({ name, message, stack }: { name: string; message: string; stack?: string }): Error {
  const error = name === "SessionError" ? new SessionError(message) : new Error(message);
  error.name = name;
  if (stack !== undefined) error.stack = stack;
  return error;
}
