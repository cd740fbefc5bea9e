/** Where a model runs. Here since graphs are written for one; the runtime finds out what there is. */

/** The processor, a GPU through WebGPU, or an NVIDIA GPU through CUDA. */
export type Device = "cpu" | "webgpu" | "cuda";

/** A device by name, or `auto`: the best that works here. */
export type DeviceRequest = Device | "auto";

/** What can be asked for. */
export const DEVICES: readonly DeviceRequest[] = ["auto", "cpu", "webgpu", "cuda"];
