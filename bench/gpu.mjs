// Everything about a GPU in one command: WebGPU's tests as checks, the same on CUDA where its provider is there, then images a
// second beside PyTorch with cuDNN where that is installed, and time by kind of operator beside what the card can do.
//
//     npm run build
//     node bench/gpu.mjs [--quick] [--rounds 10] [--only checks|timings] [--driver nvidia_icd.json] [--python python3]
//     node bench/gpu.mjs --pack FOLDER [--onnxruntime FOLDER]
//
// A run takes less than eight minutes on a GPU: what it has no time for it says. `--quick`, with small sizes, is for an adapter
// in software, where only the checks mean something. `--pack` writes all that is needed into a folder, below 64 MiB, which is
// copied to a machine that has nothing but Node: `node FOLDER/main.mjs`. `--onnxruntime` takes another copy of ONNX Runtime's Node
// binding, one with CUDA's libraries (docs/cuda.md). The driver of Vulkan is NVIDIA's where there is one, else software.
import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { build } from "esbuild";
import { NODE_BUNDLE } from "../cli/node-bundle.mjs";
import { SCRIPTS } from "./gpu/scripts.mjs";

const { values: options } = parseArgs({
  options: {
    pack: { type: "string" },
    onnxruntime: { type: "string" },
    driver: { type: "string" },
    quick: { type: "boolean", default: false },
    rounds: { type: "string" },
    only: { type: "string" },
    python: { type: "string" },
  },
});
const root = fileURLToPath(new URL("..", import.meta.url));
const MOST = 64 * 2 ** 20;
const folder = path.resolve(options.pack ?? path.join(root, ".cache/gpu-bench"));
await pack();
if (options.pack !== undefined) {
  const bytes = sizeOf(folder);
  console.log(`${folder}: ${(bytes / 2 ** 20).toFixed(1)} MiB`);
  if (bytes > MOST) throw new Error("more than 64 MiB: a copy with CUDA's libraries is to be there already");
} else
  process.exitCode = spawnSync(process.execPath, [path.join(folder, "main.mjs"), ...given()], {
    stdio: "inherit",
    env: { ...process.env, ...driver() },
  }).status;

/** Bundles, references and ONNX Runtime, with a package.json by which they find it. */
async function pack() {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const scripts = SCRIPTS.map((script) => ({
    in: path.join(root, script),
    out: `${path.basename(path.dirname(script))}-${path.basename(script, ".ts")}`,
  }));
  await build({
    entryPoints: [{ in: path.join(root, "bench/gpu/main.mjs"), out: "main" }, ...scripts],
    outdir: folder,
    outExtension: { ".js": ".mjs" },
    ...NODE_BUNDLE,
    alias: { vitest: path.join(root, "bench/gpu/no-runner.mjs") },
  });
  const python = ["bench/gpu/torch_gpu.py", "bench/train_step.py"];
  const goldens = ["detectron2", "paper"].map((dialect) => `test/golden/training/${dialect}-targets.json`);
  for (const file of [...python, ...goldens])
    copyFileSync(path.join(root, file), path.join(folder, path.basename(file)));
  const runtime = path.join(folder, "onnxruntime");
  if (options.onnxruntime !== undefined) symlinkSync(path.resolve(options.onnxruntime), runtime);
  else copyRuntime(path.join(root, "dist/onnxruntime"), runtime);
  const imports = { "#onnxruntime": "./onnxruntime/lib/index.js" };
  writeFileSync(path.join(folder, "package.json"), JSON.stringify({ name: "gpu-bench", type: "module", imports }));
}

/** Without the binaries of other systems. */
function copyRuntime(from, to) {
  const own = path.join("bin", "napi-v6", process.platform, process.arch);
  const isOthers = (file) => {
    const inside = path.relative(from, file);
    const isBinary = inside.startsWith("bin") && !own.startsWith(inside) && !inside.startsWith(own);
    return isBinary || inside.endsWith(".d.ts");
  };
  cpSync(from, to, { recursive: true, filter: (file) => !isOthers(file) });
}

function sizeOf(file) {
  const { size } = statSync(file);
  if (!statSync(file).isDirectory()) return size;
  return readdirSync(file).reduce((sum, name) => sum + sizeOf(path.join(file, name)), 0);
}

function given() {
  const { quick, rounds, only, python } = options;
  return [
    ...(quick ? ["--quick"] : []),
    ...Object.entries({ rounds, only, python }).flatMap(([name, value]) =>
      value === undefined ? [] : [`--${name}`, value],
    ),
  ];
}

/** Where Vulkan finds its driver; whoever has set that knows. */
function driver() {
  if (options.driver === undefined && process.env.VK_ICD_FILENAMES !== undefined) return {};
  const usual = ["/etc/vulkan/icd.d/nvidia_icd.json", "/usr/share/vulkan/icd.d/nvidia_icd.json"];
  const software = "/usr/lib/chromium/vk_swiftshader_icd.json";
  const file = options.driver ?? [...usual, software].find((each) => existsSync(each));
  if (file === undefined) return {};
  const libraries = [path.dirname(file), process.env.LD_LIBRARY_PATH].filter(Boolean).join(":");
  return { VK_ICD_FILENAMES: file, ...(file === software && { LD_LIBRARY_PATH: libraries }) };
}
