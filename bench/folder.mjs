/** What benches over a folder of JPEG files share: the files, a compiled model, and sides that take turns over parts of the folder. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { comparison, timed } from "./timing.mjs";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** Parts of two photographs of the repository, 500x375 as most of ImageNet's are. */
export async function photographs(into, count) {
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

/** Writes a model by our command line. */
export function compile(target, more, output) {
  const args = [here("../bin/resnetc.js"), "compile", target, ...more, "-o", output];
  if (spawnSync(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"] }).status !== 0) process.exit(1);
  return output;
}

/**
 * In each round every side goes over a share of the files. The first round counts for nothing.
 *
 * @param sides by name: what goes over files, or over the files from one number to another where it is a peer's
 * @returns times by name, and how many files a share has
 */
export async function takeTurns(sides, files, { rounds, batch }) {
  const size = Math.floor(files.length / rounds / batch) * batch;
  const times = Object.fromEntries(Object.keys(sides).map((name) => [name, []]));
  for (let round = -1; round < rounds; round++) {
    const first = Math.max(0, round) * size;
    for (const [name, side] of Object.entries(sides)) {
      const time =
        typeof side === "function"
          ? await timed(() => side(files.slice(first, first + size)))
          : await side.step(`${first} ${first + size}`);
      if (round >= 0) times[name].push(time);
    }
  }
  return { times, size };
}

/** A line for each kind of time: our images a second, and the others' with their ratio to ours. */
export function report({ times, size }, ours, others) {
  for (const kind of ["passed", "spent"]) {
    const { rate, ratio } = comparison(times, kind);
    const beside = others.map(([who, name]) => `${name} ${rate(who, size)}, ratio ${ratio(who, ours)}`);
    console.log(`time ${kind}: ${ours} ${rate(ours, size)} images/s; ${beside.join("; ")}`);
  }
}

/** The results of all, or the first that could not be done as an error. */
export function requireAll(results) {
  const failed = results.find((result) => "error" in result);
  if (failed) throw new Error(failed.error);
}
