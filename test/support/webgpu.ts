/** Where a software WebGPU adapter is to be had: Chromium brings one, with the Vulkan loader that it needs. */
import { existsSync } from "node:fs";
import path from "node:path";

const DRIVER = process.env.VK_ICD_FILENAMES ?? "/usr/lib/chromium/vk_swiftshader_icd.json";

/** Environment of a process in which ONNX Runtime's WebGPU finds the software adapter. */
export const WEBGPU_ENV: Readonly<Record<string, string>> = {
  VK_ICD_FILENAMES: DRIVER,
  LD_LIBRARY_PATH: [path.dirname(DRIVER), process.env.LD_LIBRARY_PATH].filter(Boolean).join(":"),
};

/** Why WebGPU tests can't run; undefined where they can, and where RESNETC_REQUIRE_WEBGPU says that they must. */
export const NO_WEBGPU: string | undefined =
  existsSync(DRIVER) || process.env.RESNETC_REQUIRE_WEBGPU === "1"
    ? undefined
    : `no software WebGPU adapter: ${DRIVER} is not there (Debian's package chromium brings it)`;
