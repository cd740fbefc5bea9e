// Our ResNet-50 beside torchvision's own ONNX export of the same weights, in ONNX Runtime on the CPU, run in turn.
//
//     /usr/bin/python3 bench/export_resnet50.py .cache/bench     (PyTorch and torchvision, for the peer's file)
//     node bench/inference.mjs .cache/bench
//
// A ratio above 1 means that ours is faster.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { loadRuntime } from "../dist/runtime/onnx/onnxruntime.js";
import { median } from "./median.mjs";

const folder = process.argv[2] ?? ".cache/bench";
const ours = join(folder, "ours.onnx");
const bin = fileURLToPath(new URL("../bin/resnetc.js", import.meta.url));
const weights = join(folder, "resnet50.pth");
const compiled = spawnSync(process.execPath, [bin, "compile", "ResNet50V15", "--weights", weights, "-o", ours], {
  stdio: "inherit",
});
if (compiled.status !== 0) process.exit(1);

const ort = await loadRuntime();
const open = (file) => ort.InferenceSession.create(file, { intraOpNumThreads: 2, logSeverityLevel: 3 });
const sessions = { ours: await open(ours), theirs: await open(join(folder, "torchvision.onnx")) };

for (const [batch, rounds] of [
  [1, 30],
  [8, 9],
]) {
  const pixels = Float32Array.from({ length: batch * 3 * 224 * 224 }, (_, i) => ((i * 7919) % 1000) / 500 - 1);
  const times = { ours: [], theirs: [] };
  const logits = {};
  for (let round = -2; round < rounds; round++) {
    for (const [name, session] of Object.entries(sessions)) {
      const feeds = { [session.inputNames[0]]: new ort.Tensor("float32", pixels, [batch, 3, 224, 224]) };
      const before = performance.now();
      const outputs = await session.run(feeds, [session.outputNames.at(-1)]);
      if (round >= 0) times[name].push(performance.now() - before);
      logits[name] = outputs[session.outputNames.at(-1)].data;
    }
  }
  const ratios = times.theirs.map((their, i) => their / times.ours[i]);
  const scale = Math.max(...logits.theirs.map(Math.abs));
  const difference = Math.max(...logits.theirs.map((their, i) => Math.abs(their - logits.ours[i]))) / scale;
  const rate = (name) => ((1000 * batch) / median(times[name])).toFixed(1);
  console.log(
    `batch ${batch}: ours ${rate("ours")} images/s, torchvision's export ${rate("theirs")}; ` +
      `ratio ${median(ratios).toFixed(3)}; logits differ by ${difference.toExponential(1)} of the largest`,
  );
}
