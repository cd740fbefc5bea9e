// ResNet-20 beside jax-js and TensorFlow.js, in Node on the processor: inference and a step of training, in turn.
//
//     npm run build && npm install --prefix bench/javascript
//     node bench/javascript.mjs [--batch 8] [--rounds 2] [--threads 2]
//
// The parameters, images and labels are the same; logits and losses are compared. TensorFlow.js on
// WebAssembly has no kernel for a convolution's gradient: it trains in plain JavaScript. Ours also keeps running statistics,
// which the others leave out. A ratio above 1 means that ours is faster.
import { parseArgs } from "node:util";
import { compile, elaborate, parseTarget } from "../dist/compiler/index.js";
import { valuesOf } from "../dist/compiler/emit/parameters.js";
import { openSession } from "../dist/runtime/index.js";
import { machineBlockSize } from "../dist/runtime/onnx/blocked-layout.js";
import { median } from "./median.mjs";
import { labelsOf, openStep, pixelsOf } from "./our-step.mjs";

const { values: options } = parseArgs({
  options: {
    batch: { type: "string", default: "8" },
    rounds: { type: "string", default: "2" },
    threads: { type: "string", default: "2" },
  },
});
const [batch, rounds, threads] = [options.batch, options.rounds, options.threads].map(Number);
const TARGET = "CifarResNet(depth: 20)";
const [CLASSES, RATE] = [10, 0.01];

const { model } = elaborate(parseTarget(TARGET));
const { parameters } = model.graph;
const given = {
  values: Object.fromEntries(parameters.map((each) => [each.path, valuesOf(each, undefined, 0)])),
  shapes: Object.fromEntries(parameters.map((each) => [each.path, each.value.type.shape.map(Number)])),
  pixels: pixelsOf([batch, 3, 32, 32]),
  labels: labelsOf(batch, CLASSES),
  ...{ batch, classes: CLASSES, rate: RATE, threads },
};
const libraries = {
  resnetc: await ours(),
  "jax-js": await open("jax.mjs"),
  "TensorFlow.js, wasm": await open("tfjs.mjs", { backend: "wasm" }),
  "TensorFlow.js, cpu": await open("tfjs.mjs", { backend: "cpu" }),
};

for (const [what, shown] of [
  ["infer", "inference"],
  ["step", "a step of training"],
]) {
  const made = {};
  const times = {};
  for (let round = 0; round <= rounds; round++) {
    for (const [name, library] of Object.entries(libraries)) {
      if (round > 0 && !(name in times)) continue;
      const before = performance.now();
      try {
        (made[name] ??= []).push(...(await library[what]()));
      } catch (error) {
        console.log(`${shown}, ${name}: ${String(error.message ?? error).split("\n", 1)[0]}`);
        continue;
      }
      // The first makes kernels.
      if (round === 0) times[name] = [];
      else times[name].push(performance.now() - before);
    }
  }
  for (const name of Object.keys(times)) {
    const ratio = median(times[name].map((time, i) => time / times.resnetc[i]));
    const differ = made[name].reduce((most, value, i) => Math.max(most, Math.abs(value - made.resnetc[i])), 0);
    console.log(
      `${shown}, batch ${batch}, ${name}: ${((1000 * batch) / median(times[name])).toFixed(1)} images/s; ratio ${ratio.toFixed(1)}; ` +
        `${what === "infer" ? "logits" : `losses of ${rounds + 1} steps`} within ${differ.toExponential(1)}`,
    );
  }
}
process.exit(0);

async function open(file, more = {}) {
  const { open } = await import(`./javascript/${file}`);
  return open({ ...given, ...more });
}

async function ours() {
  const blockSize = await machineBlockSize();
  const step = await openStep(
    { target: TARGET, batch, size: 32, classes: CLASSES, rate: RATE },
    { threads, blockSize },
  );
  const session = await openSession(compile(TARGET, { seed: 0 }).onnx, { device: "cpu", threads });
  const [input] = session.inputs;
  return {
    async infer() {
      const outputs = await session.run({ [input.name]: { data: given.pixels, shape: [batch, 3, 32, 32] } });
      return outputs.logits.data;
    },
    step: async () => [(await step.step()).loss],
  };
}
