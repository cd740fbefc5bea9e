// How fast the compiler is: `node bench/compile.mjs` after `npm run build`. Prints medians, and ratios between networks.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { compile } from "../dist/compiler/index.js";
import { median } from "./median.mjs";

const structure = { withWeights: false };

function time(run) {
  const before = performance.now();
  const result = run();
  return [performance.now() - before, result];
}

/** Warm: the median of runs after five that do not count. */
function warm(target, runs = 15) {
  for (let i = 0; i < 5; i++) compile(target, structure);
  return median(Array.from({ length: runs }, () => time(() => compile(target, structure))[0]));
}

const resnet152 = warm("ResNet152");
console.log(`ResNet-152, source to ONNX bytes without weights, warm: ${resnet152.toFixed(1)} ms (asked: under 150)`);

// Alternating, so that a machine that slows down slows both.
const depths = [56, 1202];
const perLayer = new Map(depths.map((depth) => [depth, []]));
for (const depth of depths) compile(`CifarResNet(depth: ${depth})`, structure);
for (let run = 0; run < 9; run++) {
  for (const depth of depths) {
    const [elapsed, { model }] = time(() => compile(`CifarResNet(depth: ${depth})`, structure));
    perLayer.get(depth).push(elapsed / model.graph.nodes.length);
  }
}
const [shallow, deep] = depths.map((depth) => median(perLayer.get(depth)));
const ratio = deep / shallow;
console.log(`compile time per layer, ResNet-1202 to ResNet-56: ${ratio.toFixed(2)} (asked: at most 1.5)`);

const bin = fileURLToPath(new URL("../bin/resnetc.js", import.meta.url));
const example = fileURLToPath(new URL("../stdlib/cifar.resnet", import.meta.url));
const cold = median(
  Array.from({ length: 9 }, () => time(() => spawnSync(process.execPath, [bin, "check", example]))[0]),
);
console.log(`resnetc check on a file, cold: ${cold.toFixed(0)} ms (asked: under 500)`);
