// How many images a second come out of the loader, by number of threads, and what one costs in processor time.
//
//     npm run build && node bench/data-loading.mjs [folder with train/CLASS and val/CLASS] [seconds a row]
//
// Without a folder: 200 JPEGs of 500x375 are made, photographs in texture and size (about 90 kB), to 224x224; and the
// data sets of 32x32. "ms an image" is the processor's time of the whole process, so that cores that wait don't count.
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { Loader, openFolders, openShapes } from "../dist/runtime/data/index.js";

const seconds = Number(process.argv[3] ?? 4);
const given = process.argv[2] || undefined;
const made = given ? undefined : await mkdtemp(join(tmpdir(), "resnetc-bench-"));
if (made) await makePhotographs(made);
const photographs = await openFolders(given ?? made, { cache: false });

const paper = [
  { kind: "random_resize_shorter", length: [256, 480] },
  { kind: "random_crop", size: [224, 224] },
  { kind: "flip_horizontal" },
  { kind: "color_pca" },
  { kind: "normalize", mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
];
const inception = [{ kind: "random_resized_crop", size: [224, 224] }, ...paper.slice(2)];
const small = [
  { kind: "normalize", mean: [0.5, 0.5, 0.5] },
  { kind: "pad", margin: 4 },
];
const cifar = [...small, { kind: "random_crop", size: [32, 32] }, { kind: "flip_horizontal" }];
const cores = availableParallelism();

console.log("data         transforms           threads  images/s  ms an image");
for (const workers of new Set([0, 1, 2, cores])) {
  await measure("photographs", photographs, "scale, crop, colour", paper, 32, workers);
  await measure("photographs", photographs, "random resized crop", inception, 32, workers);
}
for (const workers of [0, 1, 2]) await measure("shapes", openShapes(), "pad, crop, flip", cifar, 128, workers);
if (made) await rm(made, { recursive: true });

async function measure(name, data, title, transforms, batch, workers) {
  const loader = new Loader({ workers });
  const batches = loader.training({ split: data.train, batch, transforms, seed: 1 });
  // The first batches include the threads' start and the compiler's warming up.
  for (let i = 0; i < 2 + 2 * workers; i++) await batches.next();
  const start = performance.now();
  const processor = process.cpuUsage();
  let images = 0;
  while (performance.now() - start < seconds * 1000) {
    await batches.next();
    images += batch;
  }
  const rate = (images / (performance.now() - start)) * 1000;
  const { user, system } = process.cpuUsage(processor);
  const cost = (user + system) / 1000 / images;
  console.log(
    `${name.padEnd(12)} ${title.padEnd(20)} ${String(workers).padStart(7)} ${rate.toFixed(0).padStart(11)} ${cost.toFixed(3).padStart(13)}`,
  );
  await loader.close();
}

/** Noise at all scales, as photographs have it: each octave half as strong as the one below. */
async function makePhotographs(folder) {
  for (const part of ["train", "val"]) {
    for (const [c, name] of ["a", "b"].entries()) {
      await mkdir(join(folder, part, name), { recursive: true });
      const count = part === "train" ? 100 : 1;
      for (let i = 0; i < count; i++) {
        let image = new Float32Array(500 * 375 * 3).fill(128);
        for (let octave = 0; octave < 8; octave++) {
          const [width, height] = [4 << octave, 3 << octave];
          const noise = Uint8Array.from(
            { length: width * height * 3 },
            (_, k) => Math.imul(k + i * 977 + c, 2654435761) >>> 24,
          );
          const layer = await sharp(noise, { raw: { width, height, channels: 3 } })
            .resize(500, 375, { fit: "fill", kernel: "cubic" })
            .raw()
            .toBuffer();
          for (let k = 0; k < image.length; k++) image[k] += (layer[k] - 128) * (0.8 * 0.62 ** octave);
        }
        const bytes = Uint8ClampedArray.from(image);
        await sharp(bytes, { raw: { width: 500, height: 375, channels: 3 } })
          .jpeg({ quality: 92 })
          .toFile(join(folder, part, name, `${i}.jpg`));
      }
    }
  }
}
