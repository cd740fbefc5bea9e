/** The GPU of a process that a test starts: WebGPU, or as bench/gpu.mjs says. */
import type { Device } from "../../compiler/device.js";
import { NO_CPU_FALLBACK, trainingProvider } from "../../runtime/onnx/create.js";

export const GPU = (process.env["RESNETC_DEVICE"] ?? "webgpu") as Device;

/** Options of a session on it. On WebGPU nothing is left to the processor; CUDA's provider leaves shapes to it. */
export const ALONE = {
  executionProviders: [trainingProvider(GPU)],
  ...(GPU === "webgpu" && { extra: NO_CPU_FALLBACK }),
};
