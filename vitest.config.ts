import { availableParallelism } from "node:os";
import path from "node:path";
import { defineConfig } from "vitest/config";
import { bundledWorkers } from "./test/support/bundled-workers.js";

/** No ONNX Runtime, no images, no processes: seconds, and on every version of Node in CI. */
const FAST = [
  "test/grammar/**/*.test.ts",
  "test/compiler/*.test.ts",
  "test/compiler/{diagnostics,elaborate,ir,weights}/**/*.test.ts",
  "test/compiler/ops/{registry,shapes}.test.ts",
  "test/compiler/emit/{float16,random}.test.ts",
  "test/docs/{architecture,errors,language}.test.ts",
  "test/editors/**/*.test.ts",
  "test/runtime/figures/{figure,layout}.test.ts",
  "test/runtime/weights/{epsilon,kinds,maps,match,open,write}.test.ts",
  "test/stdlib/numbers.test.ts",
];

/** Of the others those that leave nothing behind in a process: no variables, no measuring of its memory. */
const SHARING = [
  "test/compiler/{emit,passes,tuning}/**/*.test.ts",
  "test/runtime/{classification,data,figures,images}/**/*.test.ts",
];

export default defineConfig({
  // There is no package `vscode`: an editor gives it to its extensions.
  resolve: { alias: { vscode: path.join(import.meta.dirname, "test/editors/vscode-stub.ts") } },
  // Inside the project, so that the bundles find its packages.
  plugins: [bundledWorkers(path.join(import.meta.dirname, ".cache/resnetc"))],
  test: {
    projects: [
      // Where nothing is left behind, the files of a process share the modules that one of them has loaded.
      { extends: true, test: { name: "fast", include: FAST, isolate: false } },
      { extends: true, test: { name: "sharing", include: SHARING, exclude: FAST, isolate: false } },
      { extends: true, test: { name: "machine", include: ["test/**/*.test.ts"], exclude: [...FAST, ...SHARING] } },
    ],
    // Sessions, image decoding and spawned commands are slow on a small machine; a hang is caught all the same.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // A third of the time is spent waiting for processes and disks, so that a machine of two cores has two workers.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    // Native addons (ONNX Runtime, sharp) are loaded once a process, not once a thread.
    pool: "forks",
    // CommonJS with a native library: Node loads it, not Vite.
    server: { deps: { external: [/dist\/onnxruntime/] } },
  },
});
