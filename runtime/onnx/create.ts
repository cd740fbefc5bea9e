/** Sessions of ONNX Runtime on a device, whichever build of it: Node's, or a browser's. */
import type { InferenceSession } from "#onnxruntime";
import type { Device } from "../../compiler/device.js";
import type { Runtime } from "./onnxruntime.js";

/** What is used of ONNX Runtime; its build for browsers has it, too. */
export type Ort = Pick<Runtime, "InferenceSession" | "Tensor">;

/** Session setting under which a node that the device can't run is an error, where it would run on the processor. */
export const NO_CPU_FALLBACK = { session: { disable_cpu_ep_fallback: "1" } };

/**
 * What runs the graphs of a training. WebGPU's provider would put most maps into its own layout and back, by some
 * transpositions for each convolution, whose weights it would turn in every step as well.
 */
export function trainingProvider(device: Device): InferenceSession.ExecutionProviderConfig {
  return device === "webgpu" ? { name: "webgpu", preferredLayout: "NCHW" } : device;
}

/**
 * Opens a model on a device. Operators that a GPU lacks run on the processor.
 *
 * @returns the session, and whether there are such operators
 */
export async function createSession(
  { InferenceSession: sessions }: Ort,
  model: string | Uint8Array,
  device: Device,
  more: InferenceSession.SessionOptions,
): Promise<{ readonly session: InferenceSession; readonly fallsBack: boolean }> {
  const options = { executionProviders: [device], logSeverityLevel: 4 as const, ...more };
  // Typed apart because the overloads of `create` do not take a union.
  const open = (settings: InferenceSession.SessionOptions): Promise<InferenceSession> =>
    typeof model === "string" ? sessions.create(model, settings) : sessions.create(model, settings);
  if (device === "cpu") return { session: await open(options), fallsBack: false };
  try {
    return { session: await open({ ...options, extra: NO_CPU_FALLBACK }), fallsBack: false };
  } catch (error) {
    if (!/fallback to CPU EP has been explicitly disabled/.test(String(error))) throw error;
  }
  return { session: await open(options), fallsBack: true };
}

/** What is said of a device whose operators are not all that a model needs. */
export const FALLS_BACK = "operators that it lacks run on the processor";

/** `y = relu(x)` as ONNX, small enough to be written out: opset 13, float32[2]. */
const RELU_MODEL = "CAc6MwoMCgF4EgF5IgRSZWx1EgFnWg8KAXgSCgoICAESBAoCCAJiDwoBeRIKCggIARIECgIIAkIECgAQDQ==";

/** Tries a device. @throws what is wrong with it */
export async function runOnce(runtime: Ort, device: Device): Promise<void> {
  const model = Uint8Array.from(atob(RELU_MODEL), (character) => character.charCodeAt(0));
  const session = await runtime.InferenceSession.create(model, {
    executionProviders: [device],
    logSeverityLevel: 4,
    extra: NO_CPU_FALLBACK,
  });
  try {
    const x = new runtime.Tensor("float32", Float32Array.of(-1, 2), [2]);
    const { y } = await session.run({ x });
    const values = y?.data as Float32Array | undefined;
    if (values?.[0] !== 0 || values[1] !== 2) throw new Error("the device computes wrong values");
  } finally {
    await session.release();
  }
}
