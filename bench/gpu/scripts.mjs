/** The scripts of the tests that bench/gpu/checks.mjs judges: each runs on a GPU in a process of its own, and prints what it gave. */
export const SCRIPTS = [
  "test/compiler/ops/layers.webgpu.ts",
  "test/compiler/ops/detection/session.webgpu.ts",
  "test/compiler/training/session.webgpu.ts",
  "test/compiler/training/detector-steps.webgpu.ts",
  "test/compiler/training/tiny-detector.webgpu.ts",
  "test/stdlib/devices.webgpu.ts",
  "test/runtime/training/device.webgpu.ts",
];
