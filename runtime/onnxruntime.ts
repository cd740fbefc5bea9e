/** ONNX Runtime itself: loaded on first use, and its messages made readable. */
import type onnxruntime from "onnxruntime-node";

export type Runtime = typeof onnxruntime;

/** A model or a device that can't be used; the message is one clear line. */
export class SessionError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "SessionError";
  }
}

let loading: Promise<Runtime> | undefined;

/**
 * ONNX Runtime's Node binding. The native library takes a noticeable part of a second to load, so nothing imports it
 * at the top of a file: commands that run no model stay fast.
 *
 * @throws {SessionError} where there is no build for this system
 */
export function loadRuntime(): Promise<Runtime> {
  loading ??= importRuntime();
  return loading;
}

async function importRuntime(): Promise<Runtime> {
  // Since 1.29 ONNX Runtime reports to its makers unless this is set before it starts: file names, graph names and
  // hashes of weights. Whoever wants that sets it to 0 outside.
  process.env.ORT_DISABLE_TELEMETRY ??= "1";
  try {
    const { default: runtime } = await import("onnxruntime-node");
    // What goes wrong arrives as an exception; without this it is also printed to stderr, in red.
    runtime.env.logLevel = "fatal";
    return runtime;
  } catch (error) {
    const system = `${process.platform} ${process.arch}`;
    throw new SessionError(`onnxruntime-node can't be loaded on ${system}: ${readable(error)}`, { cause: error });
  }
}

/** ONNX Runtime's account of what went wrong as one line: no source paths, no C++ signatures, no full stop. */
export function readable(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const line = text
    .replace(/\s+/g, " ")
    .replace(/^Load model from .*? failed: ?/, "")
    // `/onnxruntime_src/.../model.cc:187 onnxruntime::Model::Model(...) text`: the signature ends in the last `&)`.
    .replace(/^(?:\/\S+|\S+\.(?:cc|h)):\d+ (?:.*(?:\)::<lambda\(\)>|[&*\w]\)(?: const)?) )?/, "")
    .replace(/^\w+_result\.status == \S+ was false\. /, "")
    .replace(/^This is an invalid model\. /, "")
    .trim()
    .replace(/[.:\s]+$/, "");
  // Lower case at the start as in every message of ours, unless the word is a name: `Gemm`, `ONNX`.
  return /^[A-Z][a-z]+ [a-z(]/.test(line) ? line[0]!.toLowerCase() + line.slice(1) : line;
}
