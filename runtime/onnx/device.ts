/** Which machine part runs the model: the processor, a GPU through WebGPU, or an NVIDIA GPU through CUDA. */
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { DEVICES, type Device, type DeviceRequest } from "../../compiler/device.js";
import { runOnce } from "./create.js";
import type { DeviceChoice } from "./session-types.js";
import { hasCudaLibraries, loadRuntime, runtimeCopy } from "./onnxruntime.js";
import { readable } from "./readable.js";
import { SessionError } from "./session-error.js";

export { DEVICES, type Device, type DeviceChoice, type DeviceRequest };

/** Whether a device can be used here; if not, why, in words that end in what to do. */
export type Availability =
  { readonly available: true; readonly note: string } | { readonly available: false; readonly problem: string };

/**
 * Resolves `auto`: CUDA if its libraries are there and work, else WebGPU if there is a GPU and it works, else the
 * processor. A device asked for by name is that one or an error.
 *
 * @throws {SessionError} saying why the device can't be used and what to do
 */
export async function chooseDevice(request: DeviceRequest): Promise<DeviceChoice> {
  if (request !== "auto") {
    const found = await availability(request);
    if (!found.available) throw new SessionError(`device ${request}: ${found.problem}`);
    return { device: request, reason: "asked for" };
  }
  const refused: string[] = [];
  for (const device of ["cuda", "webgpu"] as const) {
    const missing = missingHardware(device);
    if (missing !== undefined) {
      refused.push(`${device}: ${missing}`);
      continue;
    }
    const found = await availability(device);
    if (found.available) return { device, reason: [found.note, ...refused].join("; ") };
    refused.push(`${device}: ${found.problem}`);
  }
  return { device: "cpu", reason: refused.join("; ") };
}

const known = new Map<Device, Promise<Availability>>();

/** Tries the device on a one-node model, once a process. A software WebGPU adapter counts as available. */
export function availability(device: Device): Promise<Availability> {
  let found = known.get(device);
  if (found === undefined) {
    found = probe(device);
    known.set(device, found);
  }
  return found;
}

async function probe(device: Device): Promise<Availability> {
  const runtime = await loadRuntime();
  if (device === "cpu") return { available: true, note: "the processor" };
  if (!runtime.listSupportedBackends().some(({ name }) => name === device)) {
    return { available: false, problem: `onnxruntime has no ${device} for ${process.platform} ${process.arch}` };
  }
  if (device === "cuda" && !hasCudaLibraries()) return { available: false, problem: noCuda() };
  try {
    await runOnce(runtime, device);
    return { available: true, note: `${device} works here` };
  } catch (error) {
    return { available: false, problem: `${readable(error)} (${ADVICE[device]})` };
  }
}

const ADVICE = {
  webgpu: "it needs a GPU with a Vulkan, Metal or Direct3D 12 driver; --device cpu works everywhere",
  cuda: "it needs an NVIDIA driver, CUDA 12 and cuDNN 9 in the library path; --device cpu works everywhere",
} as const;

/**
 * What `auto` looks at before it wakes a driver. Starting WebGPU where there is no GPU prints the driver's warnings,
 * and where it finds a software adapter that would be slower than the processor.
 */
function missingHardware(device: "cuda" | "webgpu"): string | undefined {
  if (device === "cuda") return hasCudaLibraries() ? undefined : "its libraries are not installed";
  if (process.platform !== "linux") return undefined;
  const drivers = process.env.VK_DRIVER_FILES ?? process.env.VK_ICD_FILENAMES ?? "";
  if (drivers !== "" && drivers.split(":").every((file) => /swiftshader|lvp_icd|llvmpipe/.test(path.basename(file)))) {
    return "only a software adapter, which is slower than the processor";
  }
  const isGpu = (entry: string): boolean => /^(renderD\d+|nvidia\d+|dxg)$/.test(entry);
  const found = ["/dev", "/dev/dri"].some((folder) => existsSync(folder) && readdirSync(folder).some(isGpu));
  return found ? undefined : "no GPU found";
}

function noCuda(): string {
  const { version } = runtimeCopy();
  return `ONNX Runtime's CUDA libraries are not installed: npm install onnxruntime-node@${version} fetches them (docs/cuda.md)`;
}
