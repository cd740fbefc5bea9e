import path from "node:path";
import { defineConfig } from "vitest/config";
import { bundledWorkers } from "./test/support/bundled-workers.js";

export default defineConfig({
  // Inside the project, so that the bundles find its packages.
  plugins: [bundledWorkers(path.join(import.meta.dirname, ".cache/resnetc"))],
  test: {
    include: ["test/**/*.test.ts"],
    // Sessions, image decoding and spawned commands are slow on a small machine; a hang is caught all the same.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // Native addons (ONNX Runtime, sharp) are loaded once a process, not once a thread.
    pool: "forks",
    // CommonJS with a native library: Node loads it, not Vite.
    server: { deps: { external: [/dist\/onnxruntime/] } },
  },
});
