// What a process holds in memory while it goes over ten thousand images with a small network or detector.
//
//     npm run build
//     node bench/memory-folder.mjs classify|detect [FOLDER] [--images 10000] [--draw]
//
// The images are forty JPEG files again and again. Prints the resident set ten times, and how much it grew an image in the
// second half. What was found of each image is kept, which takes half a kB. With --draw a detector hands on the decoded images, too,
// as `resnetc detect -o` asks for them.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { openClassifier, openDetector } from "../dist/runtime/index.js";
import { compile, photographs, requireAll } from "./folder.mjs";
import { residentMemory } from "./resident.mjs";

const FILES = 40;
const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { images: { type: "string", default: "10000" }, draw: { type: "boolean", default: false } },
});
const [how = "classify", folder = ".cache/bench"] = positionals;
const count = Number(options.images);
mkdirSync(folder, { recursive: true });
const files = await photographs(join(folder, "photographs"), FILES);
const images = Array.from({ length: count }, (_, i) => files[i % FILES]);
const resident = residentMemory(count);
const onProgress = (done) => resident.after(done);

console.log(`${how}, resident MB after so many images`);
if (how === "detect") {
  const scenes = `${fileURLToPath(new URL("../examples/scenes/scenes.resnet", import.meta.url))}#SceneDetector`;
  const detector = await openDetector(compile(scenes, [], join(folder, "small.onnx")), { device: "cpu" });
  const onImage = options.draw ? () => undefined : undefined;
  requireAll(await detector.detect(images, { score: 0.9, onProgress, ...(onImage && { onImage }) }));
  await detector.close();
} else {
  const model = compile("CifarResNet(depth: 20)", [], join(folder, "small.onnx"));
  const classifier = await openClassifier(model, { device: "cpu" });
  requireAll(await classifier.classify(images, { top: 1, onProgress }));
  await classifier.close();
}
resident.tell("image");
