import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { elaborateRecipe, parseTarget, type Recipe } from "../../../../compiler/index.js";
import { openCoco, openScenes, openShapes, type Annotations, type DataSet } from "../../../../runtime/data/index.js";
import type { UnwaitedDetectionBatch as DetectionBatch } from "../../../../runtime/data/detection/reader.js";
import {
  openDetectionFeed,
  type DetectionFeed,
  type DetectionFeedOptions,
} from "../../../../runtime/training/detection/feed.js";

const SIZE = { width: 64, height: 48 };
const scenes = openScenes({ ...SIZE, train: 12, validation: 2, test: 1 });
const shapes = elaborateRecipe(parseTarget("shapes")).recipe!;
const AUGMENT = [
  { kind: "random_resize_shorter", length: [48, 96], step: 16, longest: 110, like: "pillow" },
  { kind: "flip_horizontal" },
  { kind: "normalize", mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25] },
  { kind: "pad_to", multiple: 32 },
] as const satisfies Recipe["train"];
const recipe = (changes: Partial<Recipe> = {}): Recipe => ({
  ...shapes,
  batch: 2,
  train: AUGMENT,
  evaluate: [],
  ...changes,
});
const RULES = { crowd: "left_out", difficult: "left_out", empty: "left_out" } as const;

const opened: DetectionFeed[] = [];
afterAll(() => Promise.all(opened.map((feed) => feed.close())));

async function open(
  changes: Partial<Recipe> = {},
  options: Partial<DetectionFeedOptions> = {},
  data: DataSet = scenes,
  seed = 3,
): Promise<DetectionFeed> {
  const feed = await openDetectionFeed(data, recipe(changes), seed, {
    labels: data.classes,
    rules: RULES,
    model: "Tiny",
    workers: 0,
    ...options,
  });
  opened.push(feed);
  return feed;
}

async function take(feed: DetectionFeed, from: number, count: number): Promise<DetectionBatch[]> {
  const batches: DetectionBatch[] = [];
  if (count === 0) return batches;
  for await (const { waited, ...batch } of feed.training(from)) {
    expect(waited).toBeGreaterThanOrEqual(0);
    batches.push(batch);
    if (batches.length === count) break;
  }
  return batches;
}

describe("batches of a detector's training", () => {
  it("are the same to the bit whatever the threads, and from whatever batch", async () => {
    const here = await take(await open(), 0, 14);
    expect(here.map(({ step, epoch }) => [step, epoch])).toEqual(here.map((_, i) => [i, Math.floor(i / 6)]));
    expect(await take(await open({}, { workers: 2 }), 0, 14)).toEqual(here);
    for (const from of [3, 11]) expect(await take(await open({}, { workers: 1 }), from, 3)).toEqual(here.slice(from, from + 3));
    const [other] = await take(await open({}, {}, scenes, 4), 0, 1);
    expect(other!.images).not.toEqual(here[0]!.images);
    // Every image once in a pass, augmented anew in the next.
    const passes = [here.slice(0, 6), here.slice(6, 12)].map((pass) => pass.flatMap(({ indices }) => [...indices]));
    for (const pass of passes) expect([...pass].sort((a, b) => a - b)).toEqual(Array.from({ length: 12 }, (_, i) => i));
    expect(new Set(here.map(({ info }) => info[0])).size).toBeGreaterThan(2);
  });

  it("say of each image which objects are where", async () => {
    const feed = await open({ train: [{ kind: "resize_shorter", length: 96 }] });
    expect(feed).toMatchObject({ images: 12, stepsPerEpoch: 6, channels: 3, canvases: [[96, 128]] });
    expect(feed.padding).toBe(0);
    const { images, objects } = scenes.train.annotations();
    const known = (index: number) => objects.filter(({ image, isCrowd }) => image === images[index]!.id && !isCrowd);
    let sum = 0;
    for (const batch of await take(feed, 0, 6)) {
      expect(batch.images).toHaveLength(2 * 3 * 96 * 128);
      const { boxes, labels, present, count } = batch.objects;
      for (const [n, index] of [...batch.indices].entries()) {
        const own = known(index);
        sum += own.length;
        expect([...present.subarray(n * count, (n + 1) * count)]).toEqual(Array.from({ length: count }, (_, i) => (i < own.length ? 1 : 0)));
        own.forEach(({ box: [x, y, w, h], category }, i) => {
          expect([...boxes.subarray(4 * (n * count + i), 4 * (n * count + i) + 4)]).toEqual([2 * x, 2 * y, 2 * (x + w), 2 * (y + h)]);
          expect(labels[n * count + i]).toBe(category - 1);
        });
        expect([...batch.info.subarray(6 * n, 6 * n + 6)]).toEqual([96, 128, 48, 64, 2, 2]);
      }
    }
    expect(feed.objects).toBe(sum);
  });

  it("have classes by the detector's own list of labels", async () => {
    const labels = [...scenes.classes].reverse().concat("nothing");
    const feed = await open({ train: [] }, { labels });
    expect(feed.warnings).toContainEqual(expect.stringMatching(/^scenes: no object of \d+ of the 11 classes of Tiny \(/));
    const [reversed] = await take(feed, 0, 1);
    const [plain] = await take(await open({ train: [] }), 0, 1);
    const { labels: classes, present } = plain!.objects;
    expect([...reversed!.objects.labels]).toEqual([...classes].map((label, i) => (present[i] === 1 ? 9 - label : 0)));
  });

  it("hold crowds and images without objects as the dialect says", async () => {
    const isCrowded = scenes.train.annotations().objects.filter(({ isCrowd }) => isCrowd);
    expect(isCrowded.length).toBeGreaterThan(0);
    const without = await open();
    const { objects } = await open({}, { rules: { ...RULES, crowd: "learned" } });
    expect(objects - without.objects).toBe(isCrowded.length);
    expect(without.notices[0]).toMatch(/^scenes: left out \d+ crowds?, as the detector's dialect says \(first: object \d+ of 0000\d\d.png\)$/);
  });

  it("go into canvases for all scales that may be drawn", async () => {
    const feed = await open();
    // 48, 64, 80 and 96 of 48x64, the last up to 110 of the longer side: 83x110.
    expect(feed.canvases).toEqual([[64, 64], [64, 96], [96, 128]]);
    expect(feed.padding).toBeGreaterThan(0.1);
    for (const { canvas, info } of await take(feed, 0, 20)) {
      const [tallest, widest] = [Math.max(info[0]!, info[6]!), Math.max(info[1]!, info[7]!)];
      expect(feed.canvases.find(([h, w]) => h >= tallest && w >= widest)).toEqual(canvas);
    }
    expect(feed.evaluation).toEqual([
      { kind: "resize_shorter", length: 48, interpolation: "bilinear", longest: 110, like: "pillow" },
      ...AUGMENT.slice(2),
    ]);
    expect((await open({ train: [{ kind: "pad_to", multiple: 20 }] })).canvases).toEqual([[60, 80]]);
  });
}); // prettier-ignore

describe("what a detector can't be trained on", () => {
  it.each<[string, Partial<Recipe>, string]>([
    ["ten crops", { train: [{ kind: "ten_crop", size: [32, 32] }] }, "ten_crop: makes 10 images of one"],
    ["what boxes can't follow", { train: [{ kind: "rand_augment" }] }, "rand_augment: moves pixels, and the boxes of objects can't follow"],
    ["and its like", { train: [{ kind: "trivial_augment" }] }, "trivial_augment: moves pixels"],
    ["a mean that is measured", { train: [{ kind: "subtract_mean" }] }, "subtract_mean: a detector's images have many sizes"],
    ["cuts that no image has room for", { train: [{ kind: "random_crop", size: [60, 60] }] }, "scenes: left out 12 images (first: 48x64 is smaller than the 60x60 that is cut out)"],
    ["images beyond all measure", { train: [{ kind: "resize", size: [6000, 6000] }] }, "the largest images come out as 6016x6016: more than the 25000000 pixels"],
    ["batches beyond all measure", { train: [{ kind: "resize", size: [4000, 4000] }], batch: 16 }, "the largest images come out as 4000x4000: a tensor of 16x3x4000x4000 has more than"],
  ])("%s", async (_, changes, message) => {
    await expect(open(changes)).rejects.toThrow(message);
  }); // prettier-ignore

  it("images with a class each", async () => {
    await expect(open({}, {}, openShapes({ train: 4, validation: 4, test: 4 }))).rejects.toThrow(
      "shapes: its images have a class each; a detector learns from objects with boxes",
    );
  });

  it("no images, and images for a validation that shows nothing", async () => {
    const { train, validation, whole: _, ...rest } = scenes;
    const none = { ...train, size: 0 };
    const of = (data: Partial<DataSet>): Promise<unknown> => open({}, {}, { ...rest, train, validation, ...data });
    await expect(of({ train: none })).rejects.toThrow("scenes: has no training images: its training part lists none");
    await expect(of({ train: none, whole: train })).rejects.toThrow("its images are in no parts");
    const known = validation.annotations();
    const showing = (objects: Annotations["objects"]): Promise<unknown> =>
      of({ validation: { ...validation, annotations: () => ({ ...known, objects }) } });
    const message =
      "scenes: none of its 2 validation images shows an object, crowds apart, by which to judge a detector";
    await expect(showing([])).rejects.toThrow(message);
    await expect(showing(known.objects.map((object) => ({ ...object, isCrowd: true })))).rejects.toThrow(message);
    await expect(
      of({ validation: { ...validation, size: 0, annotations: () => ({ ...known, objects: [] }) } }),
    ).resolves.toBeDefined();
  });
});

describe("files", () => {
  /** The file is both parts here. */
  const BOTH = "boxes.json: 6 images in training and validation both (first: a.jpg)";
  let root: string;
  beforeAll(async () => {
    root = await mkdtemp(path.join(tmpdir(), "resnetc-feed-"));
    const names = ["a", "b", "c", "d", "e", "f"];
    for (const [i, name] of names.entries()) {
      const noise = Uint8Array.from({ length: 40 * 30 * 3 }, (_, k) => (k * k * (i + 3)) % 251);
      const [width, height] = i < 4 ? [40, 30] : [30, 40];
      const jpeg = await sharp(noise, { raw: { width, height, channels: 3 } })
        .jpeg()
        .toBuffer();
      await writeFile(path.join(root, `${name}.jpg`), name === "b" ? jpeg.subarray(0, 700) : jpeg);
    }
    const json = {
      images: names.map((name, i) => ({ id: i + 1, file_name: `${name}.jpg`, width: i < 4 ? 40 : 30, height: i < 4 ? 30 : 40 })),
      categories: [{ id: 1, name: "thing" }],
      annotations: names.map((_, i) => ({ id: i + 1, image_id: i + 1, category_id: 1, bbox: [2 + i, 3, 10, 12], area: 120, iscrowd: 0 })),
    }; // prettier-ignore
    await writeFile(path.join(root, "boxes.json"), JSON.stringify(json));
  });
  afterAll(() => rm(root, { recursive: true }));

  const coco = async (): Promise<DataSet> => {
    const data = await openCoco(path.join(root, "boxes.json"), { images: root });
    return { ...data, train: data.whole!, validation: data.whole! };
  };

  it("an image that is cut short is replaced by the next of its proportions, on any thread and from any batch", async () => {
    const told: string[] = [];
    const onUnreadable = (line: string) => void told.push(line);
    const feed = await open({ train: [] }, { onUnreadable }, await coco());
    expect(feed.warnings).toEqual([BOTH]);
    const here = await take(feed, 0, 9);
    expect(told).toEqual([expect.stringMatching(/b\.jpg: damaged or cut short/)]);
    expect(feed.unreadable).toBe(1);
    const seen = here.flatMap(({ indices }) => [...indices]);
    expect(seen).not.toContain(1);
    // c comes in its own place and in that of b.
    expect(seen.filter((index) => index === 2)).toHaveLength(6);
    for (const { canvas, indices } of here) {
      expect(new Set([...indices].map((index) => index < 4)).size).toBe(1);
      expect(canvas).toEqual(indices[0]! < 4 ? [32, 64] : [64, 32]);
    }
    const threads = await open({ train: [] }, { workers: 2 }, await coco());
    expect(await take(threads, 4, 5)).toEqual(here.slice(4));
    const strict = await open({ train: [] }, { strict: true }, await coco());
    await expect(take(strict, 0, 9)).rejects.toThrow(/b\.jpg: damaged or cut short/);
  });

  it("images that are too small for what is cut out are left out and told, or with strict an error", async () => {
    const train = [{ kind: "random_crop", size: [35, 30] }];
    const feed = await open({ train }, {}, await coco());
    expect(feed).toMatchObject({ images: 2, objects: 2, stepsPerEpoch: 1, canvases: [[64, 32]] });
    expect(feed.warnings).toEqual([
      "boxes.json: left out 4 images (first: 30x40 is smaller than the 35x30 that is cut out)",
      BOTH,
    ]);
    expect([...(await take(feed, 0, 1))[0]!.indices].sort()).toEqual([4, 5]);
    await expect(open({ train }, { strict: true }, await coco())).rejects.toThrow("left out 4 images");
  });

  it("without training images are refused", async () => {
    const data = await openCoco(path.join(root, "boxes.json"), { images: root });
    await expect(open({}, {}, data)).rejects.toThrow("boxes.json: has no training images");
  });
});
