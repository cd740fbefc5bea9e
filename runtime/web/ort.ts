/** ONNX Runtime in a browser: loaded when it is needed, and what it runs on. */
import { DEVICES, type Device } from "../../compiler/device.js";
import { createSession, FALLS_BACK, runOnce, type Ort } from "../onnx/create.js";
import { readable } from "../onnx/readable.js";
import { SessionError } from "../onnx/session-error.js";
import type { DeviceChoice, Session } from "../onnx/session-types.js";
import { wrapSession } from "../onnx/wrap-session.js";
import type { OnnxRuntimeWeb, WebOptions } from "./options.js";

/** The parts of a browser's `navigator.gpu` that are asked. */
interface Gpu {
  requestAdapter(): Promise<{ readonly info?: AdapterInfo; readonly isFallbackAdapter?: boolean } | null>;
}

interface AdapterInfo {
  readonly architecture?: string;
  readonly description?: string;
  readonly isFallbackAdapter?: boolean;
}

interface Environment {
  logLevel?: string;
  readonly wasm: { wasmPaths?: unknown; numThreads?: number };
}

/** What is loaded, and the device that it was loaded for. */
export interface LoadedOrt {
  readonly ort: Ort;
  readonly choice: DeviceChoice;
}

/**
 * @throws {SessionError} for a device that can't be used, and where ONNX Runtime can't be loaded
 */
export async function loadOrt(options: WebOptions): Promise<LoadedOrt> {
  const { device: asked = "auto", runtime = importRuntime, wasmPaths, threads } = options;
  if (!DEVICES.includes(asked)) throw new SessionError(`device ${asked}: is none of ${DEVICES.join(", ")}`);
  if (threads !== undefined && !(Number.isInteger(threads) && threads > 0)) {
    throw new SessionError(`threads: ${threads} is not a positive whole number`);
  }
  if (asked === "cuda") throw new SessionError("device cuda: a browser has none; webgpu takes NVIDIA's GPUs too");
  const choice = await chosen(asked);
  const ort = await loaded(runtime, choice.device);
  const env = ort.env as Environment;
  env.logLevel = "error";
  if (wasmPaths !== undefined) env.wasm.wasmPaths = wasmPaths;
  if (threads !== undefined) env.wasm.numThreads = threads;
  const { InferenceSession, Tensor } = ort as unknown as Ort;
  const made: Ort = { InferenceSession, Tensor };
  if (choice.device === "cpu") return { ort: made, choice };
  try {
    await runOnce(made, choice.device);
    return { ort: made, choice };
  } catch (error) {
    const problem = `${choice.device}: ${readable(error)}`;
    if (asked !== "auto") throw new SessionError(`device ${problem}`, { cause: error });
    return { ort: made, choice: { device: "cpu", reason: problem } };
  }
}

async function loaded(runtime: NonNullable<WebOptions["runtime"]>, device: Device): Promise<OnnxRuntimeWeb> {
  try {
    return await runtime(device);
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    throw new SessionError(`ONNX Runtime can't be loaded: ${problem} (npm install onnxruntime-web)`, { cause: error });
  }
}

/** Only what a page asks for is fetched. */
async function importRuntime(device: Device): Promise<OnnxRuntimeWeb> {
  return device === "webgpu" ? await import("onnxruntime-web/webgpu") : await import("onnxruntime-web/wasm");
}

async function chosen(asked: "auto" | "cpu" | "webgpu"): Promise<DeviceChoice> {
  if (asked === "cpu") return { device: "cpu", reason: "asked for" };
  const { navigator } = globalThis as { readonly navigator?: { readonly gpu?: Gpu } };
  const adapter = await navigator?.gpu?.requestAdapter().catch(() => null);
  if (asked === "webgpu") {
    if (adapter) return { device: "webgpu", reason: "asked for" };
    throw new SessionError(`device webgpu: ${navigator?.gpu ? "no GPU found" : "this browser has no WebGPU"}`);
  }
  if (!adapter)
    return { device: "cpu", reason: navigator?.gpu ? "webgpu: no GPU found" : "this browser has no WebGPU" };
  const { info = {}, isFallbackAdapter = false } = adapter;
  const isSoftware =
    isFallbackAdapter || info.isFallbackAdapter === true || /swiftshader|llvmpipe/i.test(info.architecture ?? "");
  return isSoftware
    ? { device: "cpu", reason: "webgpu: only a software adapter, which is slower than the processor" }
    : { device: "webgpu", reason: "webgpu works here" };
}

/**
 * Opens a model.
 *
 * @throws {SessionError}
 */
export async function openWebSession(model: Uint8Array, options: WebOptions): Promise<Session> {
  const { ort, choice } = await loadOrt(options);
  try {
    const { session, fallsBack } = await createSession(ort, model, choice.device, {});
    const deviceReason = fallsBack ? `${choice.reason}; ${FALLS_BACK}` : choice.reason;
    return wrapSession(ort, session, { name: "model", device: choice.device, deviceReason, profile: undefined });
  } catch (error) {
    if (error instanceof SessionError) throw error;
    throw new SessionError(`model: ${readable(error)}`, { cause: error });
  }
}
