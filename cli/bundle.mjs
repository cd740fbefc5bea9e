// Writes dist/bundle/: the command line with its libraries in a few files. Chevrotain alone is 600 small modules, and
// opening those takes longer than checking a network does. Commands stay apart, so each loads what it needs.
import { rmSync } from "node:fs";
import { build } from "esbuild";
import { NODE_BUNDLE } from "./node-bundle.mjs";
import { writeNotices } from "./notices.mjs";

rmSync("dist/bundle", { recursive: true, force: true });

const commands = await build({
  metafile: true,
  // Threads are files of their own, beside whatever starts them.
  entryPoints: [
    { in: "cli/main.ts", out: "main" },
    { in: "runtime/data/data-worker.ts", out: "data-worker" },
    { in: "runtime/training/engine-thread.ts", out: "engine-thread" },
    { in: "runtime/parallel/watchdog-thread.ts", out: "watchdog-thread" },
  ],
  outdir: "dist/bundle",
  ...NODE_BUNDLE,
});

// The modules that programs import keep their libraries apart, as dependencies, but for protobufjs: it has an install
// script, before which some package managers stop. It becomes part of the two files that use it.
const modules = await build({
  metafile: true,
  entryPoints: ["dist/compiler/emit/proto.js", "dist/runtime/training/event-file.js"],
  outdir: "dist",
  outbase: "dist",
  allowOverwrite: true,
  bundle: true,
  format: "esm",
  platform: "neutral",
  mainFields: ["module", "main"],
  target: "es2022",
  logLevel: "warning",
  plugins: [
    {
      name: "others-stay",
      setup({ onResolve }) {
        onResolve({ filter: /^(\.|node:)/ }, ({ path, importer, kind }) =>
          kind === "entry-point" || importer.includes("node_modules") ? undefined : { path, external: true },
        );
      },
    },
  ],
});

writeNotices([commands.metafile, modules.metafile], "dist/THIRD-PARTY-NOTICES.txt");
