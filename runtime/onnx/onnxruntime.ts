/** ONNX Runtime itself: where it is, and loaded on first use. */
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { readable } from "./readable.js";
import { SessionError } from "./session-error.js";

export type Runtime = typeof import("#onnxruntime");

/** A copy of ONNX Runtime on this machine. */
export interface RuntimeCopy {
  /** Folder of its package. */
  readonly folder: string;
  readonly version: string;
  /** The one that comes with resnetc, or one that the project has installed itself. */
  readonly from: "resnetc" | "project";
}

const local = createRequire(import.meta.url);

/**
 * The copy that is used: `onnxruntime-node` where the project has installed it in the version that resnetc was built
 * with (so it is had with CUDA's libraries), else the copy that comes with resnetc, which no install script had a hand in.
 */
export function runtimeCopy(): RuntimeCopy {
  const shipped = path.dirname(path.dirname(local.resolve("#onnxruntime")));
  const version = versionIn(shipped);
  const installed = installedFolder();
  if (installed !== undefined && versionIn(installed) === version) {
    return { folder: installed, version, from: "project" };
  }
  return { folder: shipped, version, from: "resnetc" };
}

/** Whether the libraries for NVIDIA's GPUs are beside it; docs/cuda.md says how they come there. */
export function hasCudaLibraries(): boolean {
  const folder = path.join(runtimeCopy().folder, "bin", "napi-v6", process.platform, process.arch);
  return existsSync(path.join(folder, "libonnxruntime_providers_cuda.so"));
}

function installedFolder(): string | undefined {
  try {
    return path.dirname(local.resolve("onnxruntime-node/package.json"));
  } catch {
    return undefined;
  }
}

function versionIn(folder: string): string {
  return (JSON.parse(readFileSync(path.join(folder, "package.json"), "utf8")) as { version: string }).version;
}

let loading: Runtime | undefined;

/**
 * ONNX Runtime's Node binding. The native library takes a noticeable part of a second to load, so nothing imports it
 * at the top of a file: commands that run no model stay fast.
 *
 * @throws {SessionError} where there is no build for this system
 */
export async function loadRuntime(): Promise<Runtime> {
  loading ??= importRuntime();
  return loading;
}

function importRuntime(): Runtime {
  // Since 1.29 ONNX Runtime reports to its makers unless this is set before it starts: file names, graph names and
  // hashes of weights. Whoever wants that sets it to 0 outside.
  process.env.ORT_DISABLE_TELEMETRY ??= "1";
  try {
    const runtime = local(runtimeCopy().folder) as Runtime;
    // What goes wrong arrives as an exception; without this it is also printed to stderr, in red.
    runtime.env.logLevel = "fatal";
    return runtime;
  } catch (error) {
    const system = `${process.platform} ${process.arch}`;
    throw new SessionError(`ONNX Runtime can't be loaded on ${system}: ${readable(error)}`, { cause: error });
  }
}
