/** Measuring a training graph's operations on this machine, and keeping what was found for the next time. */
import fs from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { concat, emitOnnx } from "../compiler/emit/onnx.js";
import type { Graph } from "../compiler/ir/types.js";
import type { Model } from "../compiler/model.js";
import { unloweredGradients } from "../compiler/training/build.js";
import type { TrainingOptions } from "../compiler/training/contract.js";
import { tuneMethods, type Measure, type MethodChoices, type Tuned } from "../compiler/training/lowering/index.js";
import { writeWhole } from "./files.js";
import { loadRuntime, type Runtime } from "./onnxruntime.js";

export interface TuneOptions {
  /** Threads that one operator may use. Default: one a core. */
  readonly threads?: number;
  /** Where choices are kept. Default: {@link choicesFile}. */
  readonly file?: string;
  readonly observe?: (tuned: Tuned) => void;
}

/** Runs of each graph, after one to warm up; the shortest counts. */
const RUNS = 5;

/** Of this user: `~/.cache/resnetc/methods.json`, or below `$XDG_CACHE_HOME`. */
export function choicesFile(): string {
  const cache = process.env["XDG_CACHE_HOME"];
  const folder = cache !== undefined && path.isAbsolute(cache) ? cache : path.join(os.homedir(), ".cache");
  return path.join(folder, "resnetc", "methods.json");
}

/**
 * The fastest method of every operation with a choice, for {@link TrainingOptions.methods}. Those that are in the file
 * for this processor and these threads are not measured again; those that are new are added to it.
 *
 * @throws {FileError} where the file can't be written
 */
export async function tune(model: Model, options: TrainingOptions, how: TuneOptions = {}): Promise<MethodChoices> {
  const { threads = os.availableParallelism(), file = choicesFile(), observe } = how;
  const runtime = await loadRuntime();
  const machine = machineName(runtime, threads);
  const kept = await readChoices(file);
  const graph = unloweredGradients(model, options);
  const lowering = { target: options.target ?? "cpu", block: options.blockSize ?? 0 };
  const known = kept[machine] ?? {};
  const choices = await tuneMethods(graph, lowering, measureWith(runtime, threads), known, observe);
  if (Object.keys(choices).length > Object.keys(known).length) {
    await fs.mkdir(path.dirname(file), { recursive: true });
    const text = JSON.stringify({ ...kept, [machine]: choices }, undefined, 1);
    await writeWhole(file, [new TextEncoder().encode(`${text}\n`)]);
  }
  return choices;
}

/** What was found before on this machine; nothing where nothing was. */
export async function tunedBefore(threads = os.availableParallelism(), file = choicesFile()): Promise<MethodChoices> {
  return (await readChoices(file))[machineName(await loadRuntime(), threads)] ?? {};
}

/** Other processors, other numbers of threads and other versions of ONNX Runtime choose otherwise. */
function machineName(runtime: Runtime, threads: number): string {
  const version = runtime.env.versions.node ?? runtime.env.versions.common;
  return `${os.cpus()[0]?.model.trim() ?? os.arch()}, ${threads} threads, ONNX Runtime ${version}`;
}

/** A file that is missing or is not what we write counts as empty: it is a cache. */
async function readChoices(file: string): Promise<Readonly<Record<string, MethodChoices>>> {
  const text = await fs.readFile(file, "utf8").catch(() => "{}");
  try {
    const content: unknown = JSON.parse(text);
    if (!isRecord(content)) return {};
    return Object.fromEntries(
      Object.entries(content).flatMap(([machine, choices]) => {
        if (!isRecord(choices)) return [];
        const valid = Object.entries(choices).filter(
          (entry): entry is [string, string] => typeof entry[1] === "string",
        );
        return [[machine, Object.fromEntries(valid)]];
      }),
    );
  } catch {
    return {};
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function measureWith(runtime: Runtime, threads: number): Measure {
  return async (graph: Graph) => {
    const { chunks, byteLength } = emitOnnx(graph);
    const session = await runtime.InferenceSession.create(concat(chunks, byteLength), { intraOpNumThreads: threads });
    try {
      const feeds = Object.fromEntries(
        graph.inputs.map(({ name, value }) => {
          const shape = value.type.shape as readonly number[];
          const size = shape.reduce((product, dim) => product * dim, 1);
          if (value.type.dtype !== "float32") throw new TypeError(`${name} is ${value.type.dtype}`);
          return [name, new runtime.Tensor("float32", new Float32Array(size).fill(0.5), shape)];
        }),
      );
      let shortest = Infinity;
      for (let run = -1; run < RUNS; run++) {
        const before = performance.now();
        await session.run(feeds);
        if (run >= 0) shortest = Math.min(shortest, (performance.now() - before) / 1000);
      }
      return shortest;
    } finally {
      await session.release();
    }
  };
}
