// Single shapes cut out of scenes, a folder of images for each class: what the backbone of scenes.resnet was trained on,
// before it was trained to find them. The scenes are of another seed than those of the data set `scenes`.
//
//     npm run build
//     node examples/scenes/crops.mjs out/crops
//     npx resnetc train examples/scenes/scenes.resnet#Small --recipe examples/scenes/scenes.resnet#crops --data out/crops -o out/small
//
// made backbone.safetensors: 32,000 images, eight epochs.
import { mkdir } from "node:fs/promises";
import path from "node:path";
import sharp from "sharp";
import { drawScenes, SCENE_CATEGORIES } from "../../dist/runtime/data/index.js";

const [folder = "out/crops", scenes = "9000"] = process.argv.slice(2);
const SEED = 2;
/** Every tenth scene is for validation. */
const VALIDATION = 10;
/** Pixels of an image's side, and the least of a shape's. */
const [SIDE, LEAST] = [64, 8];
/** How far each edge of a box is moved, at most, as a share of the box: proposals are no better. */
const JITTER = 0.15;

const names = new Map(SCENE_CATEGORIES.map(({ id, name }) => [id, name]));
for (const part of ["train", "val"]) {
  for (const name of names.values()) await mkdir(path.join(folder, part, name), { recursive: true });
}
/** Between 0 and 1, the same at each run. */
let state = 12345;
const random = () => (state = (state * 1103515245 + 12345) % 2 ** 31) / 2 ** 31;

let made = 0;
for (const { image, pixels, objects } of drawScenes(Number(scenes), { seed: SEED })) {
  const part = image.id % VALIDATION === 0 ? "val" : "train";
  const { width, height, data } = pixels;
  const whole = sharp(data, { raw: { width, height, channels: 3 } });
  const written = objects.flatMap(({ box: [x, y, w, h], category, isCrowd }) => {
    if (isCrowd || Math.min(w, h) < LEAST) return [];
    const moved = (side) => side * JITTER * (2 * random() - 1);
    const [left, top] = [Math.max(0, Math.floor(x + moved(w))), Math.max(0, Math.floor(y + moved(h)))];
    const [right, bottom] = [
      Math.min(width, Math.ceil(x + w + moved(w))),
      Math.min(height, Math.ceil(y + h + moved(h))),
    ];
    made += 1;
    const file = path.join(folder, part, names.get(category), `${String(made).padStart(6, "0")}.png`);
    return whole
      .clone()
      .extract({ left, top, width: right - left, height: bottom - top })
      .resize(SIDE, SIDE, { fit: "fill", kernel: "linear" })
      .png({ compressionLevel: 1 })
      .toFile(file);
  });
  await Promise.all(written);
}
console.log(`wrote ${made} images to ${folder}`);
