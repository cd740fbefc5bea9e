// `npm run playground -- FOLDER`: the playground as a static site, which works below any path.
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const HERE = import.meta.dirname;
const ROOT = path.resolve(HERE, "../..");
/** Bytes, compressed, of what a visit loads before it runs or trains anything. */
const MOST = 400_000;

const folder = path.resolve(process.argv[2] ?? path.join(ROOT, "out/playground"));
rmSync(folder, { recursive: true, force: true });
for (const name of ["", "assets", "ort"]) mkdirSync(path.join(folder, name), { recursive: true });

const common = {
  bundle: true,
  minify: true,
  format: "esm",
  platform: "browser",
  target: "es2022",
  logLevel: "warning",
};
const { metafile } = await build({
  ...common,
  entryPoints: ["main", "compiler-worker", "runner-worker"].map((name) => path.join(HERE, `${name}.ts`)),
  outdir: folder,
  splitting: true,
  metafile: true,
  // It comes from the folder ort/ of the site, when it is needed.
  external: ["onnxruntime-web/*"],
  absWorkingDir: ROOT,
});
await build({ ...common, entryPoints: [{ in: path.join(HERE, "style.css"), out: "main" }], outdir: folder });

for (const name of ["index.html", "icon.svg"]) copyFileSync(path.join(HERE, name), path.join(folder, name));
const examples = path.join(ROOT, "examples/cifar10");
for (const name of ["cifar_resnet20.safetensors", "cat.jpg", "dog.jpg"]) {
  copyFileSync(path.join(examples, name), path.join(folder, "assets", name));
}
const runtime = path.join(ROOT, "node_modules/onnxruntime-web/dist");
for (const name of [
  ...["ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm"],
  ...["ort.webgpu.min.mjs", "ort-wasm-simd-threaded.asyncify.mjs", "ort-wasm-simd-threaded.asyncify.wasm"],
]) {
  copyFileSync(path.join(runtime, name), path.join(folder, "ort", name));
}

/** A bundle and all that it imports. */
const outputs = new Map(Object.entries(metafile.outputs).map(([file, output]) => [path.resolve(ROOT, file), output]));
const needed = (file, seen = new Set()) => {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const { path: other, external, kind } of outputs.get(file)?.imports ?? []) {
    if (!external && kind !== "dynamic-import") needed(path.resolve(ROOT, other), seen);
  }
  return seen;
};
const scripts = ["main.js", "compiler-worker.js"].flatMap((name) => [...needed(path.join(folder, name))]);
const first = [...new Set(scripts)].map((file) => path.relative(folder, file));
const files = ["index.html", "main.css", "icon.svg", ...first];
const bytes = files.map((name) => readFileSync(path.join(folder, name)));
const compressed = bytes.reduce((sum, each) => sum + gzipSync(each, { level: 9 }).length, 0);

const version = createHash("sha256").update(Buffer.concat(bytes)).digest("hex").slice(0, 12);
const runner = [...needed(path.join(folder, "runner-worker.js"))].map((file) => path.relative(folder, file));
await build({
  ...common,
  entryPoints: [path.join(HERE, "sw.ts")],
  outdir: folder,
  define: { VERSION: JSON.stringify(version), FILES: JSON.stringify(["./", ...new Set([...files, ...runner])]) },
});
writeFileSync(path.join(folder, "first-load.json"), `${JSON.stringify({ files, compressed })}\n`);
console.log(`${folder}: ${compressed} bytes compressed at the first visit, of ${MOST} at most`);
if (compressed > MOST) throw new Error("the first visit loads too much");
