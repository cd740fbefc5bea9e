// From JPEG files to boxes, beside the bare session, in turn.
//
//     npm run build
//     node bench/detect.mjs [FOLDER] [--images 60] [--rounds 5] [--threads 2] [--batch 1] [--target SSD300_VGG16] [--weights FILE]
//
// Each round takes a share of the images: through the session alone, as tensors that are there already, and through `detect`.
// A ratio above 1 means that ours is faster. Without weights what is found means nothing, and takes its time all the same.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { openDetector } from "../dist/runtime/index.js";
import { detectorInput, padToOf, stack } from "../dist/runtime/images/detector-input.js";
import { readImage } from "../dist/runtime/images/read.js";
import { compile, photographs, report, requireAll, takeTurns } from "./folder.mjs";

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    images: { type: "string", default: "60" },
    rounds: { type: "string", default: "5" },
    threads: { type: "string", default: "2" },
    batch: { type: "string", default: "1" },
    target: { type: "string", default: "SSD300_VGG16" },
    weights: { type: "string" },
  },
});
const [count, rounds, threads, batch] = [options.images, options.rounds, options.threads, options.batch].map(Number);
const folder = positionals[0] ?? ".cache/bench";
mkdirSync(folder, { recursive: true });
const files = await photographs(join(folder, "photographs"), count);
const weights = options.weights === undefined ? [] : ["--weights", options.weights];
const detector = await openDetector(compile(options.target, weights, join(folder, "detect.onnx")), {
  device: "cpu",
  threads,
});
const { session, preprocess } = detector;

/** One batch of photographs of one size; all of them have it. */
const inputs = await Promise.all(
  files.slice(0, batch).map(async (file) => detectorInput(await readImage(file), preprocess)),
);
const { image, info } = stack(inputs, padToOf(preprocess));

const measured = await takeTurns(
  {
    session: async (share) => {
      for (let done = 0; done < share.length; done += batch) await session.run({ image, image_info: info });
    },
    detect: async (share) => requireAll(await detector.detect(share, { batch })),
  },
  files,
  { rounds, batch },
);
await detector.close();

console.log(`${measured.size * rounds} JPEGs, ${options.target}, batches of ${batch}, ${threads} threads`);
report(measured, "detect", [["session", "the session alone"]]);
