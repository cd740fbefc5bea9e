// ResNet-50 in 8 bits beside ours in fp32 and PyTorch's fastest in fp32 (frozen TorchScript), on the processor, run in turn.
//
//     /usr/bin/python3 bench/export_resnet50.py .cache/bench     (PyTorch and torchvision, for the weights)
//     node bench/int8.mjs .cache/bench [--batch 8] [--rounds 15] [--threads 2] [--python /usr/bin/python3]
//
// A ratio above 1 means that the 8-bit model is faster.
import { spawnSync } from "node:child_process";
import { statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { loadRuntime } from "../dist/runtime/onnx/onnxruntime.js";
import { startPeer } from "./peer.mjs";
import { comparison, LAYOUTS, timed } from "./timing.mjs";

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    batch: { type: "string", default: "8" },
    rounds: { type: "string", default: "15" },
    threads: { type: "string", default: "2" },
    python: { type: "string", default: "/usr/bin/python3" },
  },
});
const [batch, rounds, threads] = [options.batch, options.rounds, options.threads].map(Number);
const folder = positionals[0] ?? ".cache/bench";
const bin = fileURLToPath(new URL("../bin/resnetc.js", import.meta.url));
const images = fileURLToPath(new URL("../examples/cifar10", import.meta.url));
const weights = join(folder, "resnet50.pth");

const files = { fp32: join(folder, "fp32.onnx"), int8: join(folder, "int8.onnx") };
for (const [precision, file] of Object.entries(files)) {
  const how = precision === "int8" ? ["--precision", "int8", "--calibrate", images] : [];
  const args = [bin, "compile", "ResNet50V15", "--weights", weights, ...how, "-o", file];
  if (spawnSync(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"] }).status !== 0) process.exit(1);
}

const ort = await loadRuntime();
const pixels = Float32Array.from({ length: batch * 3 * 224 * 224 }, (_, i) => ((i * 7919) % 1000) / 500 - 1);
const sessions = {};
for (const [precision, file] of Object.entries(files)) {
  sessions[precision] = await ort.InferenceSession.create(file, { intraOpNumThreads: threads, logSeverityLevel: 3 });
}

function ours(precision) {
  const session = sessions[precision];
  const feeds = { [session.inputNames[0]]: new ort.Tensor("float32", pixels, [batch, 3, 224, 224]) };
  return timed(() => session.run(feeds, [session.outputNames.at(-1)]));
}

const theirs = await startPeer(options.python, "torchscript.py", [weights, String(batch), String(threads)]);
const times = Object.fromEntries(["int8", "fp32", ...LAYOUTS].map((who) => [who, []]));
for (let round = -3; round < rounds; round++) {
  for (const [who, list] of Object.entries(times)) {
    const time = LAYOUTS.includes(who) ? await theirs.step(who) : await ours(who);
    if (round >= 0) list.push(time);
  }
}
theirs.close();

const size = (precision) => statSync(files[precision]).size;
console.log(`batch ${batch}, ${threads} threads; size ${(size("int8") / size("fp32")).toFixed(2)} of fp32's`);
for (const kind of ["passed", "spent"]) {
  const { rate, ratio, fastest } = comparison(times, kind);
  const best = fastest(LAYOUTS);
  console.log(
    `time ${kind}: int8 ${rate("int8", batch)} images/s; fp32 ${rate("fp32", batch)}, ratio ${ratio("fp32", "int8")}; ` +
      `PyTorch ${rate(best, batch)} (${best}), ratio ${ratio(best, "int8")}`,
  );
}
