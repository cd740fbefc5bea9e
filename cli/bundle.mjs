// Writes dist/bundle/: the command line with its libraries in a few files. Chevrotain alone is 600 small modules, and
// opening those takes longer than checking a network does. Commands stay apart, so each loads what it needs.
import { rmSync } from "node:fs";
import { build } from "esbuild";

rmSync("dist/bundle", { recursive: true, force: true });

await build({
  entryPoints: ["cli/main.ts"],
  outdir: "dist/bundle",
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node20",
  sourcemap: true,
  logLevel: "warning",
  // Native libraries, and those that few commands need.
  external: ["onnxruntime-node", "sharp", "prettier"],
  // CommonJS libraries among the bundled ones ask for Node's own modules with `require`.
  banner: {
    js: 'import { createRequire as makeRequire } from "node:module"; const require = makeRequire(import.meta.url);',
  },
});
