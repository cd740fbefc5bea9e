// What a trained detector finds in scenes that it has not seen, as a picture: docs/images/detections.jpg is made so.
//
//     npm run train:detector
//     node examples/scenes/picture.mjs out/scenes/model.onnx docs/images/detections.jpg [first] [score]
import { writeFile } from "node:fs/promises";
import sharp from "sharp";
import { drawScenes } from "../../dist/runtime/data/index.js";
import { drawDetections } from "../../dist/runtime/detection/overlay/index.js";
import { openDetector } from "../../dist/runtime/index.js";

const [model, output, first = "0", score = "0.7"] = process.argv.slice(2);
if (output === undefined) throw new Error("node examples/scenes/picture.mjs MODEL PICTURE [FIRST] [SCORE]");
/** Of no data set: `scenes` has seed 1, crops.mjs has 2. */
const SEED = 3;
const [COLUMNS, ROWS] = [3, 2];
/** Of the picture, in pixels. */
const WIDTH = 1280;
/** So many pixels for one: labels have a size of their own. */
const ZOOM = 2;

const detector = await openDetector(model);
const tiles = [];
for (const { pixels } of drawScenes(COLUMNS * ROWS, { seed: SEED, first: Number(first) })) {
  const { width, height, data } = pixels;
  const scene = sharp(data, { raw: { width, height, channels: 3 } });
  const [found] = await detector.detect([await scene.clone().png().toBuffer()], { score: Number(score) });
  if ("error" in found) throw new Error(found.error);
  const [wide, high] = [ZOOM * width, ZOOM * height];
  const large = { width: wide, height: high, data: await scene.clone().resize(wide, high).raw().toBuffer() };
  const marks = found.objects.map(({ box, index, ...rest }) => ({
    ...rest,
    class: index,
    box: box.map((x) => ZOOM * x),
  }));
  const at = { left: (tiles.length % COLUMNS) * wide, top: Math.floor(tiles.length / COLUMNS) * high };
  tiles.push({ input: await drawDetections(large, marks), wide, high, ...at });
}
await detector.close();

const [{ wide, high }] = tiles;
const canvas = sharp({ create: { width: COLUMNS * wide, height: ROWS * high, channels: 3, background: "white" } });
const picture = canvas.composite(tiles.map(({ input, left, top }) => ({ input, left, top })));
const whole = await picture.png().toBuffer();
await writeFile(output, await sharp(whole).resize(WIDTH).jpeg({ quality: 75 }).toBuffer());
