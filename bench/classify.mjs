// From JPEG files to classes, beside the bare session and a torchvision script with a data loader of its own, in turn.
//
//     /usr/bin/python3 bench/export_resnet50.py .cache/bench     (PyTorch and torchvision, for the weights)
//     node bench/classify.mjs .cache/bench [--images 500] [--rounds 5] [--threads 2] [--python /usr/bin/python3]
//
// Each round takes a share of the images: through the session alone, as tensors that are there already; through `classify`;
// and through PyTorch, frozen and with channels last. A ratio above 1 means that ours is faster.
import { join } from "node:path";
import { parseArgs } from "node:util";
import { openClassifier } from "../dist/runtime/index.js";
import { compile, photographs, report, requireAll, takeTurns } from "./folder.mjs";
import { startPeer } from "./peer.mjs";

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
const folder = positionals[0] ?? ".cache/bench";
const files = await photographs(join(folder, "photographs"), count);
const weights = join(folder, "resnet50.pth");
const model = compile("ResNet50V15", ["--weights", weights], join(folder, "classify.onnx"));
const classifier = await openClassifier(model, { device: "cpu", threads });
const { session, input } = classifier;
const ready = new Float32Array(BATCH * 3 * 224 * 224).map((_, i) => ((i * 7919) % 1000) / 500 - 1);
const theirs = await startPeer(options.python, "classify.py", [weights, String(BATCH), String(threads), ...files]);

const measured = await takeTurns(
  {
    session: async (share) => {
      for (let done = 0; done < share.length; done += BATCH) {
        await session.run({ [input.name]: { data: ready, shape: [BATCH, 3, 224, 224] } });
      }
    },
    classify: async (share) => requireAll(await classifier.classify(share, { batch: BATCH })),
    torchvision: theirs,
  },
  files,
  { rounds, batch: BATCH },
);
theirs.close();
await classifier.close();

console.log(`${measured.size * rounds} JPEGs, batches of ${BATCH}, ${threads} threads`);
report(measured, "classify", [
  ["session", "the session alone"],
  ["torchvision", "torchvision"],
]);
