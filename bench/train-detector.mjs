// examples/scenes' detector trained here, and of torchvision's classes by torchvision's code: the same scenes, backbone,
// schedule and number of updates, several seeds each. AP is judged by the same evaluator, on scenes that neither has seen.
//
//     npm run build
//     node bench/train-detector.mjs [--seeds 3] [--updates 1000] [--scenes 2000] [--python /usr/bin/python3] [--folder out/bench]
//
// Seeds draw batches, flips, anchors, regions and the weights of new layers. Ours runs from the command line, as a user would.
import { spawn } from "node:child_process";
import { mkdir, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { elaborateRecipe, parseTarget } from "../dist/compiler/index.js";
import { writeScenes, SCENES_FIRST } from "../dist/runtime/data/index.js";
import { median } from "./median.mjs";

const { values: options } = parseArgs({
  options: {
    seeds: { type: "string", default: "3" },
    updates: { type: "string", default: "1000" },
    scenes: { type: "string", default: "2000" },
    threads: { type: "string", default: "2" },
    python: { type: "string", default: "/usr/bin/python3" },
    folder: { type: "string", default: "out/bench/detector" },
  },
});
const [updates, count] = [Number(options.updates), Number(options.scenes)];
const root = fileURLToPath(new URL("..", import.meta.url));
const at = (...names) => path.join(path.resolve(options.folder), ...names);
const example = path.join(root, "examples/scenes/scenes.resnet#SceneDetector");
const backbone = path.join(root, "examples/scenes/backbone.safetensors");
/** What both train by. */
const { recipe } = elaborateRecipe(parseTarget("scenes"));

await writeData();
const results = { ours: [], torchvision: [] };
for (let seed = 0; seed < Number(options.seeds); seed++) {
  results.ours.push(await trainOurs(seed));
  results.torchvision.push(await trainTheirs(seed));
}
for (const [who, runs] of Object.entries(results)) {
  const show = (name) => {
    const values = runs.map((run) => 100 * run[name]);
    const [low, high] = [Math.min(...values), Math.max(...values)];
    return `${name} ${median(values).toFixed(1)} (${low.toFixed(1)} to ${high.toFixed(1)})`;
  };
  console.log(`${who}: ${show("AP")}, ${show("AP50")}; ${median(runs.map((run) => run.seconds)).toFixed(0)} s`);
}

/** Scenes as a folder of COCO's kind, once. */
async function writeData() {
  const parts = [
    ["train", count, SCENES_FIRST.train],
    ["val", 200, SCENES_FIRST.validation],
  ];
  await mkdir(at("data", "annotations"), { recursive: true });
  for (const [part, images, first] of parts) {
    const annotations = at("data", "annotations", `instances_${part}2017.json`);
    if (await stat(annotations).catch(() => undefined)) continue;
    await writeScenes(at("data", "written"), images, { first });
    await rename(at("data", "written", "images"), at("data", `${part}2017`));
    await rename(at("data", "written", "instances.json"), annotations);
  }
}

async function trainOurs(seed) {
  const output = at(`ours-${seed}`);
  await rm(output, { recursive: true, force: true });
  const began = performance.now();
  await resnetc([
    ...["train", example, "--recipe", "scenes", "--steps", String(updates), "--seed", String(seed), "--images", "0"],
    ...["--data", `coco:${at("data")}`, "--weights", backbone, "--lenient", "--threads", options.threads, "-o", output],
  ]);
  const seconds = (performance.now() - began) / 1000;
  return report(
    "ours",
    seed,
    seconds,
    await judge([path.join(output, "model.onnx"), "--images", at("data", "val2017")]),
  );
}

async function trainTheirs(seed) {
  const found = at(`torchvision-${seed}.json`);
  const script = fileURLToPath(new URL("train_detector.py", import.meta.url));
  const given = {
    ...{ seed, updates, batch: recipe.batch, rate: recipe.learningRate, "first-rate": recipe.warmUp.rate },
    ...{ "warm-up": recipe.warmUp.steps, "weight-decay": recipe.optimizer.weightDecay, threads: options.threads },
  };
  const args = Object.entries(given).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const said = await run(options.python, [script, at("data"), backbone, found, ...args]);
  return report("torchvision", seed, JSON.parse(said).seconds, await judge(["--detections", found]));
}

async function judge(args) {
  const annotations = at("data", "annotations", "instances_val2017.json");
  return JSON.parse(await resnetc(["eval", ...args, "--data", `coco:${annotations}`, "--json"]));
}

function report(who, seed, seconds, { AP, AP50 }) {
  console.log(
    `${who}, seed ${seed}: AP ${(100 * AP).toFixed(1)}, AP50 ${(100 * AP50).toFixed(1)}, ${seconds.toFixed(0)} s`,
  );
  return { AP, AP50, seconds };
}

function resnetc(args) {
  return run(process.execPath, [path.join(root, "bin/resnetc.js"), ...args]);
}

/** What a program writes to its standard output. */
function run(command, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
    let text = "";
    child.stdout.on("data", (chunk) => (text += chunk));
    child.on("error", reject);
    child.on("close", (code) => (code === 0 ? resolve(text) : reject(new Error(`${command} ended with ${code}`))));
  });
}
