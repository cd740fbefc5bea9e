/** A model made ready to run on a device. */
import { access, realpath, stat } from "node:fs/promises";
import path from "node:path";
import type { InferenceSession, Tensor } from "#onnxruntime";
import { toFloat16, toFloat32 } from "./float16.js";
import { chooseDevice, NO_CPU_FALLBACK, type Device, type DeviceRequest } from "./device.js";
import { loadRuntime, readable, type Runtime } from "./onnxruntime.js";
import { SessionError } from "./session-error.js";
import { readModelInfo, type TensorSpec } from "./model-info.js";
import { openProfile, type Profile } from "./profile.js";

export { SessionError } from "./session-error.js";

/** Where and how a model runs. */
export interface SessionOptions {
  /** Default `auto`. */
  readonly device?: DeviceRequest;
  /** Threads that one operator may use on the processor. Default: ONNX Runtime's choice, one a core. */
  readonly threads?: number;
  /** Records the time of every kernel; {@link Session.profile} gives it. */
  readonly profile?: boolean;
}

/** A tensor on the processor: its elements, row-major, and its shape. */
export interface Values {
  readonly data: Float32Array | BigInt64Array | Int32Array | Uint8Array;
  readonly shape: readonly number[];
}

/** A model ready to run. It holds memory outside of JavaScript until it is closed. */
export interface Session {
  /** For messages: the file's name, or `model`. */
  readonly name: string;
  readonly device: Device;
  /** Why this device, and what does not run on it: for people, to be shown. */
  readonly deviceReason: string;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /**
   * One run. Values are copied to the device and back; fp16 inputs and outputs are converted.
   *
   * @param wanted names of the outputs to compute; default all
   * @throws {SessionError}
   */
  run(feeds: Readonly<Record<string, Values>>, wanted?: readonly string[]): Promise<Record<string, Values>>;
  /** Ends recording and gives what was recorded; only of a session opened with `profile`. */
  profile(): Promise<Profile>;
  /** Frees what the session holds. Runs after it fail; closing again does nothing. */
  close(): Promise<void>;
}

/**
 * Opens an ONNX model, from its file or its bytes.
 *
 * A device asked for by name is used or the call fails. Operators that a GPU lacks run on the processor, with copies
 * between; {@link Session.deviceReason} says so.
 *
 * @throws {SessionError} for a device that can't be used and a file that is not a model that can run
 */
export async function openSession(model: string | Uint8Array, options: SessionOptions = {}): Promise<Session> {
  if (options.threads !== undefined && !(Number.isInteger(options.threads) && options.threads > 0)) {
    throw new SessionError(`threads: ${options.threads} is not a positive whole number`);
  }
  const name = typeof model === "string" ? path.basename(model) : "model";
  if (typeof model === "string") await checkFile(model);
  const choice = await chooseDevice(options.device ?? "auto");
  const runtime = await loadRuntime();
  const profile = options.profile ? await openProfile() : undefined;
  try {
    // Weights stand beside the model itself, not beside a link to it.
    const real = typeof model === "string" ? await realpath(model) : model;
    const { session, fallsBack } = await create(runtime, real, choice.device, {
      executionProviders: [choice.device],
      logSeverityLevel: 4,
      ...(options.threads === undefined ? {} : { intraOpNumThreads: options.threads }),
      ...(profile && { enableProfiling: true, profileFilePrefix: profile.prefix }),
    });
    const deviceReason = fallsBack
      ? `${choice.reason}; operators that ${choice.device} lacks run on the processor`
      : choice.reason;
    return wrap(runtime, session, { name, device: choice.device, deviceReason, profile });
  } catch (error) {
    await profile?.discard();
    throw error instanceof SessionError ? error : await explain(error, model, name);
  }
}

type OrtOptions = InferenceSession.SessionOptions;

async function create(
  runtime: Runtime,
  model: string | Uint8Array,
  device: Device,
  options: OrtOptions,
): Promise<{ session: InferenceSession; fallsBack: boolean }> {
  // Typed apart because the overloads of `create` do not take a union.
  const open = (settings: OrtOptions): Promise<InferenceSession> =>
    typeof model === "string"
      ? runtime.InferenceSession.create(model, settings)
      : runtime.InferenceSession.create(model, settings);
  if (device !== "cpu") {
    try {
      return { session: await open({ ...options, extra: NO_CPU_FALLBACK }), fallsBack: false };
    } catch (error) {
      if (!/fallback to CPU EP has been explicitly disabled/.test(String(error))) throw error;
    }
    return { session: await open(options), fallsBack: true };
  }
  return { session: await open(options), fallsBack: false };
}

interface Opened {
  readonly name: string;
  readonly device: Device;
  readonly deviceReason: string;
  readonly profile: Awaited<ReturnType<typeof openProfile>> | undefined;
}

function wrap(runtime: Runtime, session: InferenceSession, opened: Opened): Session {
  const inputs = session.inputMetadata.map(spec);
  const outputs = session.outputMetadata.map(spec);
  const outputNames = outputs.map((output) => output.name);
  let closed = false;
  let recording = opened.profile !== undefined;

  const endRecording = (): void => {
    if (recording) session.endProfiling();
    recording = false;
  };
  const toTensor = (feed: string, values: Values): Tensor => {
    const type = inputs.find((input) => input.name === feed)?.type;
    if (type === undefined) {
      const names = inputs.map((input) => input.name).join(", ");
      throw new SessionError(`${opened.name}: no input is called ${feed} (inputs: ${names})`);
    }
    return tensorOf(runtime, type, values);
  };

  return {
    name: opened.name,
    device: opened.device,
    deviceReason: opened.deviceReason,
    inputs,
    outputs,
    async run(feeds, wanted = outputNames) {
      if (closed) throw new SessionError(`${opened.name}: the session is closed`);
      const tensors = Object.fromEntries(Object.entries(feeds).map(([feed, values]) => [feed, toTensor(feed, values)]));
      try {
        const results = await session.run(tensors, [...wanted]);
        return Object.fromEntries(wanted.map((output) => [output, take(results[output] as Tensor)]));
      } catch (error) {
        throw new SessionError(`${opened.name}: ${readable(error)}`, { cause: error });
      } finally {
        for (const tensor of Object.values(tensors)) tensor.dispose();
      }
    },
    async profile() {
      if (opened.profile === undefined) throw new SessionError(`${opened.name}: opened without profile`);
      endRecording();
      return opened.profile.read();
    },
    async close() {
      if (closed) return;
      closed = true;
      endRecording();
      await session.release();
      await opened.profile?.discard();
    },
  };
}

function spec(value: InferenceSession.ValueMetadata): TensorSpec {
  return value.isTensor
    ? { name: value.name, type: value.type, shape: [...value.shape] }
    : { name: value.name, type: "other", shape: [] };
}

function tensorOf(runtime: Runtime, type: string, { data, shape }: Values): Tensor {
  if (type === "float16" && data instanceof Float32Array) return new runtime.Tensor("float16", toFloat16(data), shape);
  if (data instanceof Float32Array) return new runtime.Tensor("float32", data, shape);
  if (data instanceof BigInt64Array) return new runtime.Tensor("int64", data, shape);
  if (data instanceof Int32Array) return new runtime.Tensor("int32", data, shape);
  return new runtime.Tensor(type === "bool" ? "bool" : "uint8", data, shape);
}

/** The values of an output; the tensor is disposed of, which frees what it holds outside of JavaScript. */
function take(tensor: Tensor): Values {
  const shape = [...tensor.dims];
  const data = tensor.type === "float16" ? toFloat32(tensor.data as Uint16Array) : (tensor.data as Values["data"]);
  tensor.dispose();
  return { data, shape };
}

async function checkFile(file: string): Promise<void> {
  const found = await stat(file).catch(() => undefined);
  if (found === undefined) throw new SessionError(`${file}: no such file`);
  if (found.isDirectory()) throw new SessionError(`${file}: a folder, not an ONNX file`);
  await access(file).catch(() => {
    throw new SessionError(`${file}: can't be read`);
  });
}

/** Says of a model that ONNX Runtime refused what is the matter: our own reader tells a cut file from a foreign one. */
async function explain(error: unknown, model: string | Uint8Array, name: string): Promise<SessionError> {
  try {
    const { externalData } = readModelInfo(model);
    for (const file of externalData) {
      if (typeof model !== "string")
        return new SessionError(`${name}: its weights are in ${file}: open it by its path`);
      // Weights stand beside the model itself, not beside a link to it.
      const folder = path.dirname(await realpath(model));
      const found = await stat(path.join(folder, file)).catch(() => undefined);
      if (!found) return new SessionError(`${name}: its weights are in ${file}, which is not beside it`);
    }
  } catch (problem) {
    if (problem instanceof SessionError) return problem;
  }
  return new SessionError(`${name}: ${readable(error)}`, { cause: error });
}
