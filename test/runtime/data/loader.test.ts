import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DataSet } from "../../../runtime/data/data-set.js";
import { Loader, type Batch, type LoaderOptions } from "../../../runtime/data/loader.js";
import { measureStatistics } from "../../../runtime/data/measure.js";
import { openFolders } from "../../../runtime/data/sources/folders/index.js";
import { openShapes } from "../../../runtime/data/sources/synthetic/shapes/index.js";
import { loadStatistics, saveStatistics } from "../../../runtime/data/statistics.js";

let root: string;
let photos: DataSet;
const DAMAGED = ["train/b/3.jpg", "train/b/4.jpg", "val/a/1.jpg"];

beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), "resnetc-load-"));
  for (const part of ["train", "val"]) {
    for (const [c, name] of ["a", "b"].entries()) {
      await mkdir(path.join(root, part, name), { recursive: true });
      for (let i = 0; i < 7; i++) {
        const data = Uint8Array.from({ length: 60 * 50 * 3 }, (_, k) => (k * (i + 2) + 100 * c + k * k) % 256);
        const jpeg = await sharp(data, { raw: { width: 60, height: 50, channels: 3 } })
          .jpeg()
          .toBuffer();
        const file = `${part}/${name}/${i}.jpg`;
        await writeFile(path.join(root, file), DAMAGED.includes(file) ? jpeg.subarray(0, 300) : jpeg);
      }
    }
  }
  photos = await openFolders(root, { cache: false });
});
afterAll(() => rm(root, { recursive: true }));

const AUGMENT = [
  { kind: "random_resized_crop", size: [24, 24], scale: [0.3, 1] },
  { kind: "flip_horizontal" },
  { kind: "color_pca" },
  { kind: "normalize", mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] },
];

async function collect(batches: AsyncIterable<Batch>): Promise<Omit<Batch, "waited">[]> {
  const all: Omit<Batch, "waited">[] = [];
  for await (const { waited, ...batch } of batches) {
    expect(waited).toBeGreaterThanOrEqual(0);
    all.push(batch);
  }
  return all;
}

async function train(options: LoaderOptions, firstStep = 0, endStep = 6): Promise<Omit<Batch, "waited">[]> {
  const loader = new Loader(options);
  try {
    const { train: split } = photos;
    return await collect(loader.training({ split, batch: 4, transforms: AUGMENT, seed: 5, firstStep, endStep }));
  } finally {
    await loader.close();
  }
}

describe("batches of the training", () => {
  it("are the same whatever the number of threads, and from whatever step", async () => {
    const here = await train({ workers: 0 });
    expect(here.map(({ step, epoch }) => [step, epoch])).toEqual(
      [0, 1, 2, 3, 4, 5].map((step) => [step, Math.floor(step / 3)]),
    );
    for (const batch of here) {
      expect(batch.shape).toEqual([4, 3, 24, 24]);
      expect(batch.images).toHaveLength(4 * 3 * 24 * 24);
      expect([...batch.labels]).toEqual([...batch.indices].map((index) => photos.train.label!(index)));
    }
    expect(here[0]!.images).not.toEqual(here[3]!.images);
    expect(await train({ workers: 1 })).toEqual(here);
    expect(await train({ workers: 3, prefetch: 5 })).toEqual(here);
    expect(await train({ workers: 2 }, 4)).toEqual(here.slice(4));
  });

  it("an unreadable image is replaced by the next that can be read, and told once", async () => {
    const told: string[] = [];
    const batches = await train({ workers: 2, onUnreadable: (message) => told.push(message) });
    expect(told.sort()).toEqual([
      expect.stringMatching(/train\/b\/3\.jpg: damaged or cut short/),
      expect.stringMatching(/train\/b\/4\.jpg: damaged or cut short/),
    ]);
    // Samples 10 and 11 are damaged; both places go to 12.
    const seen = batches.flatMap(({ indices }) => [...indices]);
    expect(seen).not.toContain(10);
    expect(seen).not.toContain(11);
    expect(seen.filter((index) => index === 12).length).toBeGreaterThan(2);
    const whole = batches.find(({ indices }) => indices.filter((index) => index === 12).length > 1);
    if (whole) expect(new Set(whole.images).size).toBeGreaterThan(100);
  });

  it("strict: an unreadable image is an error", async () => {
    await expect(train({ workers: 1, strict: true })).rejects.toThrow(/train\/b\/[34]\.jpg: damaged or cut short/);
    await expect(train({ workers: 0, strict: true })).rejects.toThrow(/train\/b\/[34]\.jpg: damaged or cut short/);
  });

  it("images of different sizes don't make a batch, on any thread", async () => {
    for (const workers of [0, 1]) {
      const loader = new Loader({ workers });
      const transforms = [{ kind: "random_resize_shorter", length: [20, 40] }];
      const batches = loader.training({ split: photos.train, batch: 4, transforms, seed: 1 });
      await expect(collect(batches)).rejects.toThrow(
        /after the transforms, the others of its batch .*cut all to one size/,
      );
      await loader.close();
    }
  });
});

describe("evaluation", () => {
  const transforms = [
    { kind: "resize_shorter", length: 26 },
    { kind: "ten_crop", size: [24, 24] },
  ];

  it("sees every sample once, in order, without the unreadable; ten crops of each", async () => {
    const results = [];
    for (const workers of [0, 2]) {
      const loader = new Loader({ workers });
      const batches = await collect(loader.evaluation({ split: photos.validation, batch: 4, transforms }));
      expect(loader.unreadable).toBe(1);
      await loader.close();
      expect(batches.map(({ indices }) => [...indices])).toEqual([
        [0, 2, 3],
        [4, 5, 6, 7],
        [8, 9, 10, 11],
        [12, 13],
      ]);
      expect(batches[0]).toMatchObject({ views: 10, shape: [30, 3, 24, 24] });
      expect(batches[0]!.images).toHaveLength(30 * 3 * 24 * 24);
      results.push(batches);
    }
    expect(results[0]).toEqual(results[1]);
  });

  it("images of different sizes one at a time", async () => {
    const loader = new Loader({ workers: 0 });
    const options = { split: photos.validation, batch: 1, transforms: [{ kind: "resize_shorter", length: 32 }] };
    const shapes = (await collect(loader.evaluation(options))).map(({ shape }) => shape);
    expect(shapes).toHaveLength(13);
    expect(shapes[0]).toEqual([1, 3, 32, 38]);
  });
});

describe("threads", () => {
  it("are made once for a loader and end with it", async () => {
    const before = threads();
    const loader = new Loader({ workers: 2 });
    const { train: split } = photos;
    for await (const batch of loader.training({ split, batch: 2, transforms: AUGMENT, seed: 1 })) {
      // Left in the middle, with batches under way.
      if (batch.step === 1) break;
    }
    expect(threads()).toBe(before + 2);
    await collect(
      loader.evaluation({ split: photos.validation, batch: 4, transforms: [{ kind: "resize", size: [8, 8] }] }),
    );
    expect(threads()).toBe(before + 2);
    await loader.close();
    expect(threads()).toBe(before);
    await loader.close();
  });

  it.each([0, 2])("abort ends the iteration and leaves none (%i)", async (workers) => {
    const before = threads();
    const abort = new AbortController();
    const loader = new Loader({ workers, signal: abort.signal });
    const { train: split } = photos;
    const run = async () => {
      for await (const batch of loader.training({ split, batch: 2, transforms: AUGMENT, seed: 1 })) {
        if (batch.step === 2) abort.abort(new Error("enough"));
      }
    };
    await expect(run()).rejects.toThrow("enough");
    expect(threads()).toBe(before);
    await expect(collect(loader.evaluation({ split, batch: 2, transforms: AUGMENT }))).rejects.toThrow("enough");
  });

  it("abort is told at once while a batch is waited for", async () => {
    const abort = new AbortController();
    const loader = new Loader({ workers: 1, signal: abort.signal });
    const split = { ...photos.train, size: 14 };
    const batches = loader.training({ split, batch: 14, transforms: AUGMENT, seed: 1 });
    const first = batches.next();
    abort.abort();
    await expect(first).rejects.toThrow(/abort/i);
  });

  it("a program that forgets to close a loader ends all the same, and not before another is closed", async () => {
    // The program and its thread as they are shipped: two files of JavaScript beside each other.
    const outdir = path.join(import.meta.dirname, `../../../.cache/resnetc/forgets-${process.pid}`);
    const data = path.join(import.meta.dirname, "../../../runtime/data");
    const program = `
      import { Loader } from "./loader.js";
      import { openShapes } from "./sources/synthetic/shapes/index.js";
      const loader = new Loader({ workers: 1 });
      for await (const batch of loader.training({ split: openShapes().train, batch: 4, transforms: [], seed: 1 })) {
        console.log(batch.shape.join("x"));
        break;
      }
      const closed = new Loader({ workers: 2 });
      for await (const batch of closed.training({ split: openShapes().train, batch: 256, transforms: [], seed: 1 })) break;
      await closed.close();
      console.log("closed");`;
    const options = { bundle: true, packages: "external", platform: "node", format: "esm" } as const;
    const stdin = { contents: program, resolveDir: data };
    await build({ ...options, stdin, outfile: path.join(outdir, "program.mjs") });
    await build({
      ...options,
      entryPoints: [path.join(data, "data-worker.ts")],
      outfile: path.join(outdir, "data-worker.js"),
    });
    const { stdout } = await promisify(execFile)(process.execPath, [path.join(outdir, "program.mjs")], {
      timeout: 30_000,
    });
    await rm(outdir, { recursive: true });
    expect(stdout).toBe("4x3x32x32\nclosed\n");
  });

  it("numbers that make no sense are refused", () => {
    expect(() => new Loader({ workers: -1 })).toThrow("-1 data threads are not possible");
    expect(() => new Loader({ prefetch: 0 })).toThrow("prefetch must be 1 or more, not 0");
    const { train: split } = photos;
    expect(() => new Loader().training({ split, batch: 0, transforms: [], seed: 1 })).toThrow("a batch of 0 images");
    expect(() => new Loader().training({ split, batch: 2, transforms: [{ kind: "flop" }], seed: 1 })).toThrow("flop");
  });
});

/** Worker threads that are alive. */
function threads(): number {
  return (process.report.getReport() as unknown as { workers: readonly unknown[] }).workers.length;
}

describe("statistics of the training images", () => {
  const recipe = [{ kind: "subtract_mean" }, { kind: "pad", margin: 4 }, { kind: "random_crop", size: [32, 32] }];

  it("the mean over all images, the same on threads, and after it was stored", async () => {
    const split = openShapes({ train: 40 }).train;
    const loader = new Loader();
    const statistics = (await measureStatistics(loader, split, recipe))!;
    const [batch] = await collect(loader.evaluation({ split, batch: 40, transforms: [] }));
    const plane = 32 * 32;
    for (const [row, column, channel] of [
      [0, 0, 0],
      [3, 20, 1],
      [31, 31, 2],
    ] as const) {
      let sum = 0;
      for (let i = 0; i < 40; i++) sum += batch!.images[i * 3 * plane + channel * plane + row * 32 + column]!;
      expect(statistics.mean[(row * 32 + column) * 3 + channel]).toBeCloseTo(sum / 40, 6);
    }
    const threaded = new Loader({ workers: 2 });
    expect(await measureStatistics(threaded, split, recipe)).toEqual(statistics);
    // The mean itself comes to the threads.
    const subtracted = await collect(
      threaded.evaluation({ split, batch: 40, transforms: recipe.slice(0, 1), statistics }),
    );
    const total = subtracted[0]!.images.reduce((sum, value) => sum + value, 0);
    expect(Math.abs(total / subtracted[0]!.images.length)).toBeLessThan(1e-6);
    await threaded.close();
    const file = path.join(root, "statistics.safetensors");
    await saveStatistics(file, statistics);
    expect(await loadStatistics(file)).toEqual(statistics);
    await writeFile(file, "something else");
    await expect(loadStatistics(file)).rejects.toThrow(file);
  });

  it("of some images where they are many, as they come to the subtraction; nothing where none is needed", async () => {
    const loader = new Loader({ workers: 0 });
    const transforms = [...AUGMENT.slice(0, 3), { kind: "subtract_mean" }];
    const statistics = (await measureStatistics(loader, photos.train, transforms, { samples: 5 }))!;
    expect(statistics).toMatchObject({ width: 24, height: 24 });
    expect(statistics.samples).toBeGreaterThanOrEqual(3);
    expect(await measureStatistics(loader, photos.train, AUGMENT)).toBeUndefined();
  });

  it("of a folder's images of one size without a crop; of several sizes the remedy is told", async () => {
    const place = await mkdtemp(path.join(tmpdir(), "resnetc-mean-"));
    const image = (width: number, level: number) =>
      sharp({ create: { width, height: 6, channels: 3, background: { r: level, g: level, b: level } } });
    for (const part of ["train", "val"]) {
      for (const name of ["a", "b"]) {
        await mkdir(path.join(place, part, name), { recursive: true });
        for (const level of [20, 40]) {
          await image(8, level)
            .png()
            .toFile(path.join(place, part, name, `${level}.png`));
        }
      }
    }
    const transforms = [{ kind: "subtract_mean" }];
    const loader = new Loader({ workers: 0 });
    const { train: split } = await openFolders(place, { cache: false });
    const statistics = (await measureStatistics(loader, split, transforms))!;
    expect([statistics.height, statistics.width, statistics.samples]).toEqual([6, 8, 4]);
    expect(statistics.channelMean[0]).toBeCloseTo(30 / 255, 6);
    const [batch] = await collect(loader.evaluation({ split, batch: 4, transforms, statistics }));
    expect(batch!.shape).toEqual([4, 3, 6, 8]);
    expect(batch!.images[0]).toBeCloseTo(-10 / 255, 6);
    await image(9, 5).png().toFile(path.join(place, "train/b/odd.png"));
    const { train: odd } = await openFolders(place, { cache: false });
    await expect(measureStatistics(loader, odd, transforms)).rejects.toThrow(
      /needs images of one size: some are 6x8 there, others 6x9; center_crop or resize before subtract_mean/,
    );
    await rm(place, { recursive: true });
  });
});
