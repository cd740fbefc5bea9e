// From JPEG files to classes, beside the bare session and a torchvision script with a data loader of its own, in turn.
//
//     /usr/bin/python3 bench/export_resnet50.py .cache/bench     (PyTorch and torchvision, for the weights)
//     node bench/classify.mjs .cache/bench [--images 500] [--rounds 5] [--threads 2] [--python /usr/bin/python3]
//
// Each round takes a share of the images: through the session alone, as tensors that are there already; through `classify`;
// and through PyTorch, frozen and with channels last. A ratio above 1 means that ours is faster.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import sharp from "sharp";
import { openClassifier } from "../dist/runtime/index.js";
import { startPeer } from "./peer.mjs";
import { comparison, timed } from "./timing.mjs";

const BATCH = 8;
const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    images: { type: "string", default: "500" },
    rounds: { type: "string", default: "5" },
    threads: { type: "string", default: "2" },
    python: { type: "string", default: "/usr/bin/python3" },
  },
});
const [count, rounds, threads] = [options.images, options.rounds, options.threads].map(Number);
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const folder = positionals[0] ?? ".cache/bench";
const files = await photographs(join(folder, "photographs"), count);

const model = join(folder, "classify.onnx");
const weights = join(folder, "resnet50.pth");
const args = [here("../bin/resnetc.js"), "compile", "ResNet50V15", "--weights", weights, "-o", model];
if (spawnSync(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"] }).status !== 0) process.exit(1);
const classifier = await openClassifier(model, { device: "cpu", threads });
const { session, input } = classifier;
const ready = new Float32Array(BATCH * 3 * 224 * 224).map((_, i) => ((i * 7919) % 1000) / 500 - 1);

const routes = {
  session: async (share) => {
    for (let done = 0; done < share.length; done += BATCH) {
      await session.run({ [input.name]: { data: ready, shape: [BATCH, 3, 224, 224] } });
    }
  },
  classify: async (share) => {
    const results = await classifier.classify(share, { batch: BATCH });
    const failed = results.find((result) => "error" in result);
    if (failed) throw new Error(failed.error);
  },
};
const theirs = await startPeer(options.python, "classify.py", [weights, String(BATCH), String(threads), ...files]);

const times = { session: [], classify: [], torchvision: [] };
const size = Math.floor(count / rounds / BATCH) * BATCH;
for (let round = -1; round < rounds; round++) {
  const first = Math.max(0, round) * size;
  for (const [name, list] of Object.entries(times)) {
    const time =
      name in routes
        ? await timed(() => routes[name](files.slice(first, first + size)))
        : await theirs.step(`${first} ${first + size}`);
    if (round >= 0) list.push(time);
  }
}
theirs.close();
await classifier.close();

console.log(`${size * rounds} JPEGs, batches of ${BATCH}, ${threads} threads`);
for (const kind of ["passed", "spent"]) {
  const { rate, ratio } = comparison(times, kind);
  console.log(
    `time ${kind}: classify ${rate("classify", size)} images/s; ` +
      `the session alone ${rate("session", size)}, ratio ${ratio("session", "classify")}; ` +
      `torchvision ${rate("torchvision", size)}, ratio ${ratio("torchvision", "classify")}`,
  );
}

/** Parts of two photographs of the repository, 500x375 as most of ImageNet's are. */
async function photographs(into, count) {
  mkdirSync(into, { recursive: true });
  const sources = ["../examples/scenes/scene.jpg", "../examples/cifar10/cat.jpg"].map(here);
  const files = Array.from({ length: count }, (_, i) => join(into, `${i}.jpg`));
  for (const [i, file] of files.entries()) {
    if (existsSync(file)) continue;
    const left = (i * 7) % 60;
    await sharp(sources[i % 2])
      .resize(600, 450, { fit: "fill" })
      .extract({ left, top: (i * 13) % 70, width: 500, height: 375 })
      .modulate({ hue: (i * 37) % 360 })
      .jpeg({ quality: 90 })
      .toFile(file);
  }
  return files;
}
