// Writes dist/bundle/: the command line with its libraries in a few files. Chevrotain alone is 600 small modules, and
// opening those takes longer than checking a network does. Commands stay apart, so each loads what it needs.
import { rmSync } from "node:fs";
import { build } from "esbuild";

rmSync("dist/bundle", { recursive: true, force: true });

await build({
  // Threads are files of their own, beside whatever starts them.
  entryPoints: [
    { in: "cli/main.ts", out: "main" },
    { in: "runtime/data/data-worker.ts", out: "data-worker" },
    { in: "runtime/training/engine-thread.ts", out: "engine-thread" },
  ],
  outdir: "dist/bundle",
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node20",
  sourcemap: true,
  logLevel: "warning",
  // Native libraries, and those that few commands need.
  external: ["#onnxruntime", "sharp", "prettier"],
  // CommonJS libraries among the bundled ones ask for Node's own modules with `require`.
  banner: {
    js: 'import { createRequire as makeRequire } from "node:module"; const require = makeRequire(import.meta.url);',
  },
});
