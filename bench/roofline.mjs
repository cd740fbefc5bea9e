// What bounds a training step on the processor: time by kind of operator, beside what the cores can compute and move.
//
//     npm run build
//     node bench/roofline.mjs [cifar20|resnet18|resnet50] [--threads 2] [--steps 4]
//
// The peaks are measured in the same run: a product of 2048x1536 and 1536x1536 for FLOP/s, a sum of two arrays of 64 MB for
// bytes/s. The bound is the time of a step whose operators all run at their peaks, the slower one for each.
import { parseArgs } from "node:util";
import { compile } from "../dist/compiler/index.js";
import { machineBlockSize } from "../dist/runtime/onnx/blocked-layout.js";
import { loadRuntime } from "../dist/runtime/onnx/onnxruntime.js";
import { byOperator, profiled } from "./kernels.mjs";
import { NETWORKS, openStep } from "./our-step.mjs";

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { threads: { type: "string", default: "2" }, steps: { type: "string", default: "4" } },
});
const [threads, steps] = [Number(options.threads), Number(options.steps)];
/** Kinds of operators that are shown; the rest are summed up. */
const SHOWN = 9;
const PROBES = {
  Product: "network Product { input image 1536x1x1   flatten   fc 1536 }",
  Sum: "network Sum { input image 16x1024x1024   residual { relu } }",
};
const peaks = {
  flops: Math.max(...(await probe("Product", [2048, 1536, 1, 1], "Gemm")).map(({ flops, seconds }) => flops / seconds)),
  bytes: Math.max(...(await probe("Sum", [1, 16, 1024, 1024], "Add")).map(({ bytes, seconds }) => bytes / seconds)),
};
console.log(
  `${threads} threads; peaks: ${(peaks.flops / 1e9).toFixed(0)} GFLOP/s, ${(peaks.bytes / 1e9).toFixed(1)} GB/s`,
);
for (const name of positionals.length > 0 ? positionals : ["cifar20", "resnet18", "resnet50"])
  report(name, await stepsOf(name));

function report(name, kernels) {
  const seconds = (list) => list.reduce((sum, each) => sum + each.seconds, 0) / steps;
  const bound = (list) =>
    list.reduce((sum, { flops, bytes }) => sum + Math.max(flops / peaks.flops, bytes / peaks.bytes), 0) / steps;
  const total = seconds(kernels);
  const kinds = byOperator(kernels);
  const sorted = [...kinds].sort((a, b) => seconds(b[1]) - seconds(a[1]));
  console.log(
    `\n${name}: ${(1000 * total).toFixed(0)} ms in kernels, ${(1000 * bound(kernels)).toFixed(0)} ms at the peaks`,
  );
  const line = (op, list) => {
    const [all, spent] = [list, seconds(list) * steps];
    const sum = (field) => all.reduce((sum, each) => sum + each[field], 0);
    const rate = (value, unit) => (value === 0 ? "" : `${(value / spent / 1e9).toFixed(1)} ${unit}`);
    const share = `${((100 * seconds(list)) / total).toFixed(1)} %`;
    const least = `${((100 * bound(list)) / total).toFixed(1)} %`;
    console.log(
      [op.padEnd(20), share.padStart(7), least.padStart(7), String(list.length / steps).padStart(5)].join(" ") +
        rate(sum("flops"), "GFLOP/s").padStart(16) +
        rate(sum("bytes"), "GB/s").padStart(12),
    );
  };
  console.log(`${"".padEnd(20)}    time at peak  nodes`);
  for (const [op, list] of sorted.slice(0, SHOWN)) line(op, list);
  line(
    "others",
    sorted.slice(SHOWN).flatMap(([, list]) => list),
  );
}

/** Kernels of some steps, after as many that are left out. */
async function stepsOf(name) {
  return secondHalf(async (session) => {
    const step = await openStep(NETWORKS[name], { threads, blockSize: await machineBlockSize(), session });
    for (let made = 0; made < 2 * steps; made++) await step.step();
    step.endProfiling();
    await step.close();
  });
}

async function probe(name, shape, op) {
  const ort = await loadRuntime();
  const { onnx } = compile({ files: { "probe.resnet": PROBES[name] }, entry: `probe.resnet#${name}` });
  const kernels = await secondHalf(async (more) => {
    const session = await ort.InferenceSession.create(onnx, { intraOpNumThreads: threads, ...more });
    const image = new ort.Tensor("float32", new Float32Array(product(shape)).fill(0.5), shape);
    for (let made = 0; made < 2 * steps; made++) await session.run({ [session.inputNames[0]]: image });
    session.endProfiling();
    await session.release();
  });
  return kernels.filter((each) => each.op === op);
}

async function secondHalf(run) {
  const kernels = await profiled(run);
  return kernels.slice(kernels.length / 2);
}

function product(shape) {
  return shape.reduce((all, size) => all * size, 1);
}
