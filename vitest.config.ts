import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // Sessions, image decoding and spawned commands are slow on a small machine; a hang is caught all the same.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // Native addons (ONNX Runtime, sharp) are loaded once a process, not once a thread.
    pool: "forks",
  },
});
