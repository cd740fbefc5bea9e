// torchvision's detector, compiled here, beside torchvision itself: from an image's bytes to boxes, on the CPU, in turn.
//
//     npm run build
//     node bench/detection.mjs [--size 480x640] [--threads 2] [--rounds 9] [--folder .cache/bench] [--python /usr/bin/python3]
//
// Both have the same weights, by which some hundred boxes pass the threshold, and scale the image to 800 pixels on its
// shorter side; what they find is compared first. Each round has one run here and one of PyTorch in either memory layout,
// of which the faster one counts. A ratio above 1 means that ours is faster. Debian's PyTorch multiplies matrices by
// whatever BLAS is installed: with libopenblas0-pthread several times faster than without, so the line says which it is.
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { detectorInput, stack } from "../dist/runtime/images/detector-input.js";
import { readModelInfo } from "../dist/runtime/onnx/model-info.js";
import { readModelMetadata } from "../dist/runtime/onnx/model-metadata.js";
import { kernelLocator } from "../dist/runtime/onnx/profile.js";
import { openSession } from "../dist/runtime/onnx/session.js";
import { median } from "./median.mjs";
import { comparison, LAYOUTS, timed } from "./timing.mjs";

const { values: options } = parseArgs({
  options: {
    size: { type: "string", default: "480x640" },
    threads: { type: "string", default: "2" },
    rounds: { type: "string", default: "9" },
    folder: { type: "string", default: ".cache/bench" },
    python: { type: "string", default: "/usr/bin/python3" },
  },
});
const [threads, rounds] = [Number(options.threads), Number(options.rounds)];
const [height, width] = options.size.split("x").map(Number);
const OUTPUTS = ["boxes", "scores", "labels"];
const PROFILED_RUNS = 5;
/** Paths of our nodes, in the order of stages; what the optimiser added, changes of layout, is none of them. */
const STAGES = [
  ["backbone", /^body\b/],
  ["pyramid", /^fpn\b/],
  ["RPN", /^rpn\b/],
  ["proposals", /^(regions|image_info)\b/],
  ["RoI", /^head\.roi_align/],
  ["head", /^head\b/],
  ["post", /^detect\b/],
];

mkdirSync(options.folder, { recursive: true });
const theirs = await openTheirs();
const model = compile();
const { preprocess } = readModelMetadata(model, model);
const image = { width, height, data: new Uint8Array(readFileSync(path.join(options.folder, "image.rgb"))) };
const session = await openSession(model, { device: "cpu", threads });

compareFindings(await ours(), await theirs.ask("found").then(JSON.parse));
const best = await compareTimes();
await compareStages(best);
await session.close();
theirs.close();

function input() {
  const { image: tensor, info } = stack([detectorInput(image, preprocess)], preprocess.padTo);
  return { image: tensor, image_info: info };
}

async function ours() {
  const results = await session.run(input(), OUTPUTS);
  return OUTPUTS.map((name) => results[name].data);
}

/** Each of theirs is one of ours, of its label. */
function compareFindings([boxes, scores, labels], their) {
  const differences = their.scores.map((score, i) => {
    const each = [...labels.keys()].filter((k) => Number(labels[k]) === their.labels[i] - 1);
    const of = (k) => [
      Math.max(...their.boxes[i].map((side, at) => Math.abs(side - boxes[4 * k + at]))),
      Math.abs(score - scores[k]),
    ];
    return each.map(of).sort(([a], [b]) => a - b)[0] ?? [Infinity, Infinity];
  });
  const largest = (which) => Math.max(0, ...differences.map((each) => each[which])).toExponential(1);
  console.log(
    `${options.size}, ${threads} threads, OpenBLAS ${theirs.blas}; found: ours ${scores.length}, torchvision ` +
      `${their.scores.length}; its boxes and ours differ by at most ${largest(0)} pixels, scores by ${largest(1)}`,
  );
}

async function compareTimes() {
  const times = { ours: [], contiguous: [], channels_last: [] };
  for (let round = -2; round < rounds; round++) {
    for (const [who, list] of Object.entries(times)) {
      const time = who === "ours" ? await timed(ours) : await theirs.time(who);
      if (round >= 0) list.push(time);
    }
  }
  let faster;
  for (const kind of ["passed", "spent"]) {
    const of = comparison(times, kind);
    const best = of.fastest(LAYOUTS);
    faster ??= best;
    console.log(
      `time ${kind}: ours ${of.median("ours").toFixed(0)} ms, torchvision ${of.median(best).toFixed(0)} ms (${best}); ` +
        `ratio ${of.ratio(best, "ours")}`,
    );
  }
  return faster;
}

/** Medians over a few runs, ours of a session that records every kernel, which costs some time itself. */
async function compareStages(layout) {
  const [our, their] = [await ourStages(), await theirStages(layout)];
  const total = (stages) => Object.values(stages).reduce((sum, ms) => sum + ms, 0);
  for (const stage of Object.keys({ ...their, ...our })) row(stage, our[stage], their[stage]);
  row("sum", total(our), total(their));
}

function row(stage, our = 0, their = 0) {
  const cell = (ms) => `${ms.toFixed(1).padStart(8)} ms`;
  console.log(`  ${stage.padEnd(10)} ours ${cell(our)}   torchvision ${cell(their)}`);
}

async function ourStages() {
  const recording = await openSession(model, { device: "cpu", threads, profile: true });
  const images = [];
  for (let run = 0; run < PROFILED_RUNS; run++) {
    const before = performance.now();
    const feeds = input();
    images.push(performance.now() - before);
    await recording.run(feeds, OUTPUTS);
  }
  const { kernels, runs } = await recording.profile();
  await recording.close();
  const locate = kernelLocator(readModelInfo(model));
  const stages = { image: median(images), ...Object.fromEntries(STAGES.map(([name]) => [name, 0])), layout: 0 };
  for (const kernel of kernels) {
    const name = locate(kernel)?.name ?? "";
    const stage = STAGES.find(([, paths]) => paths.test(name))?.[0] ?? "layout";
    // A kernel that runs several times in a run has all of them counted.
    stages[stage] += ((kernel.microseconds.length / runs) * median(kernel.microseconds)) / 1000;
  }
  return stages;
}

async function theirStages(layout) {
  const runs = [];
  for (let run = 0; run < PROFILED_RUNS; run++) runs.push(JSON.parse(await theirs.ask(`stages ${layout}`)));
  return Object.fromEntries(Object.keys(runs[0]).map((stage) => [stage, median(runs.map((each) => each[stage]))]));
}

function compile() {
  const bin = fileURLToPath(new URL("../bin/resnetc.js", import.meta.url));
  const [weights, output] = ["fasterrcnn.pth", "fasterrcnn.onnx"].map((file) => path.join(options.folder, file));
  const compiled = spawnSync(
    process.execPath,
    [bin, "compile", "FasterRCNN_ResNet50_FPN", "--weights", weights, "-o", output],
    { stdio: ["ignore", "ignore", "inherit"] },
  );
  if (compiled.status !== 0) process.exit(1);
  return output;
}

async function openTheirs() {
  const script = fileURLToPath(new URL("fasterrcnn.py", import.meta.url));
  // Memory that was let go is kept for the next run instead of given back to the system: PyTorch at its best.
  const env = {
    ...process.env,
    MALLOC_TRIM_THRESHOLD_: "20000000000",
    MALLOC_MMAP_MAX_: "0",
    OPENBLAS_NUM_THREADS: options.threads,
  };
  const child = spawn(options.python, [script, options.folder, `${height}`, `${width}`, options.threads], {
    stdio: ["pipe", "pipe", "inherit"],
    env,
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const read = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error("PyTorch ended: are it and torchvision installed for this Python?");
    return value;
  };
  const blas = await read();
  const ask = (line) => {
    child.stdin.write(`${line}\n`);
    return read();
  };
  return {
    blas,
    ask,
    async time(layout) {
      const [passed, spent] = (await ask(layout)).split(" ").map(Number);
      return { passed, spent };
    },
    close: () => child.stdin.end(),
  };
}
