/** Measuring how a training's operations are best written on this machine, and keeping what was found. */
import type { Model } from "../../compiler/model.js";
import type { AlgorithmChoices } from "../../compiler/tuning/choices.js";
import { gradientGraph } from "../../compiler/training/build.js";
import type { TrainingOptions } from "../../compiler/training/contract.js";
import {
  choicesOf,
  fastest,
  measureChoice,
  type Choice,
  type Measure,
  type Times,
} from "../../compiler/tuning/choices.js";
import { machineBlockSize } from "../onnx/blocked-layout.js";
import { chooseDevice, type Device, type DeviceRequest } from "../onnx/device.js";
import { loadRuntime } from "../onnx/onnxruntime.js";
import { asTrainingError } from "../training/error.js";
import { addToCache, cacheFile, machineName, algorithmsOfCache, readCache, type Measured } from "./cache.js";
import { measureOn } from "./measure.js";

export type { AlgorithmChoices };

export interface TuneOptions {
  /** Default `auto`. */
  readonly device?: DeviceRequest;
  /** Threads that one operator may use on the processor. Default: ONNX Runtime's choice, one a core. */
  readonly threads?: number;
  /** Where measurements are kept. Default: {@link cacheFile}. */
  readonly file?: string;
  /** What was measured before is measured again. */
  readonly again?: boolean;
  /** Ends after the operation that is being measured; those before it are kept. */
  readonly signal?: AbortSignal;
  /** Before the first operation and after each. */
  readonly onProgress?: (done: number, total: number) => void;
  readonly onWarning?: (message: string) => void;
  /** In place of the device's own. */
  readonly measure?: Measure;
}

/** An operation and what is known of it. */
export interface Tuned extends Pick<Choice, "key" | "layers" | "estimate"> {
  readonly op: string;
  /** Undefined where none runs. */
  readonly method?: string;
  readonly seconds: Times;
  /** It was measured before. */
  readonly known: boolean;
}

export interface Tuning {
  readonly device: Device;
  readonly deviceReason: string;
  readonly file: string;
  /** False where the signal ended it before its time. */
  readonly finished: boolean;
  readonly operations: readonly Tuned[];
}

/**
 * The fastest algorithm of every operation with a choice, for a training of these options. Device and blocks in them are
 * those of the machine.
 *
 * @throws {FileError} where the file can't be written, before anything is measured
 * @throws {SessionError} for devices that can't be used
 * @throws {TrainingError} where the model can't be trained so
 */
export async function tune(
  model: Model,
  options: Omit<TrainingOptions, "device" | "blockSize" | "algorithms">,
  how: TuneOptions = {},
): Promise<Tuning> {
  const { threads, file = cacheFile(), again = false, signal, onProgress, onWarning = () => undefined } = how;
  const { device, reason } = await chooseDevice(how.device ?? "auto");
  const runtime = await loadRuntime();
  const target = { device, block: device === "cpu" ? await machineBlockSize() : 0 };
  const graph = asTrainingError(() => gradientGraph(model, { ...options, device, blockSize: target.block }));
  const choices = choicesOf(graph, target);
  const machine = machineName(runtime, threads);
  const known = await readCache(file, machine, onWarning);
  const strange = choices.filter(({ key }) => Object.hasOwn(known, key)).filter((each) => !isOf(each, known[each.key]));
  if (strange.length > 0) {
    onWarning(
      `${file}: ${strange.length} operations are written there in ways that there are not: they are measured anew`,
    );
  }
  await addToCache(file, machine, {});
  const measure = how.measure ?? measureOn(runtime, device, threads);
  const found: Record<string, Measured> = {};
  const operations: Tuned[] = [];
  try {
    for (const [index, choice] of choices.entries()) {
      if (signal?.aborted) break;
      onProgress?.(index, choices.length);
      const before = again || !isOf(choice, known[choice.key]) ? undefined : known[choice.key];
      const seconds = before?.seconds ?? (await measureChoice(choice, target, measure));
      const method = before?.method ?? fastest(choice, seconds);
      if (method !== undefined) found[choice.key] = { method, seconds };
      const { key, layers, estimate, node } = choice;
      const chosen = method === undefined ? {} : { method };
      operations.push({ key, op: node.op, layers, estimate, ...chosen, seconds, known: before !== undefined });
    }
    onProgress?.(operations.length, choices.length);
  } finally {
    await addToCache(file, machine, found);
  }
  return { device, deviceReason: reason, file, finished: operations.length === choices.length, operations };
}

/** Whether what was kept names ways that the operation has: not those of another version, or of nobody. */
function isOf({ algorithms }: Choice, measured: Measured | undefined): boolean {
  if (measured === undefined) return false;
  return [measured.method, ...Object.keys(measured.seconds)].every((each) => algorithms.includes(each));
}

/** What {@link tune} found on this machine before, on any device; nothing where it was never called. */
export async function tunedAlgorithms(
  how: Pick<TuneOptions, "threads" | "file" | "onWarning"> = {},
): Promise<AlgorithmChoices> {
  const { threads, file = cacheFile(), onWarning = () => undefined } = how;
  return algorithmsOfCache(await readCache(file, machineName(await loadRuntime(), threads), onWarning));
}
