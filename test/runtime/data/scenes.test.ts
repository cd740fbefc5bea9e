import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { evaluateCoco } from "../../../runtime/detection/evaluate/coco.js";
import { locateImages, readAnnotations } from "../../../runtime/data/sources/annotated/index.js";
import { drawScenes, SCENE_CATEGORIES } from "../../../runtime/data/sources/synthetic/scenes/scenes.js";
import { openScenes, SCENES_FIRST } from "../../../runtime/data/sources/synthetic/scenes/index.js";
import { writeScenes } from "../../../runtime/data/sources/synthetic/scenes/write.js";
import { openSample } from "../../../runtime/data/sample.js";
import { stencil } from "../../../runtime/data/sources/synthetic/scenes/stencil.js";
import { VisibleParts } from "../../../runtime/data/sources/synthetic/scenes/visible-parts.js";
import { decodeImage } from "../../../runtime/images/decode.js";

test("scenes are the same on every machine", () => {
  const hash = createHash("sha256");
  for (const { pixels, objects } of drawScenes(6, { seed: 7 }))
    hash.update(pixels.data).update(JSON.stringify(objects));
  expect(hash.digest("hex")).toBe("e68b6a09ec308c719e253d554ca1fa5cc063d0f0c2b8c47b437e26fe9241b74f");
});

test("each scene is the same whichever others are drawn; other seeds give others", () => {
  const pixels = (options: object, at: number) =>
    [...drawScenes(at + 1, { width: 64, height: 48, ...options })][at]!.pixels;
  expect(pixels({ seed: 3 }, 4)).toEqual(pixels({ seed: 3, first: 4 }, 0));
  expect(pixels({ seed: 3 }, 4)).not.toEqual(pixels({ seed: 4 }, 4));
});

test("the parts of the data set are others of the same seed, annotated and drawn alike", async () => {
  const small = { seed: 3, width: 64, height: 48 };
  const data = openScenes({ ...small, train: 2, validation: 2, test: 3 });
  expect(data.classes).toEqual(SCENE_CATEGORIES.map(({ name }) => name));
  for (const part of ["train", "validation", "test"] as const) {
    const split = data[part]!;
    const drawn = [...drawScenes(split.size, { ...small, first: SCENES_FIRST[part] })];
    expect(split.annotations().images).toEqual(drawn.map(({ image }) => image));
    expect(split.annotations().objects).toEqual(drawn.flatMap(({ objects }) => objects));
    for (const [index, { pixels }] of drawn.entries()) {
      expect(await (await openSample(split.reference(index))).pixels(1)).toEqual(pixels);
    }
  }
  const first = async (split: "train" | "test") => (await openSample(data[split]!.reference(0))).pixels(1);
  expect(await first("train")).not.toEqual(await first("test"));
  expect(() => openScenes({ test: 0 })).toThrow("scenes: test must have from 1 to");
});

test("sixty scenes: sizes of all ranges, crowds, overlaps, every class, everything in the image", () => {
  const drawn = [...drawScenes(60, { seed: 2 })];
  const objects = drawn.flatMap((scene) => scene.objects);
  expect(new Set(objects.map(({ id }) => id)).size).toBe(objects.length);
  expect(new Set(objects.map(({ category }) => category))).toEqual(new Set(SCENE_CATEGORIES.map(({ id }) => id)));
  const areas = objects.map(({ area }) => area);
  expect(areas.filter((area) => area < 1024).length).toBeGreaterThan(30);
  expect(areas.filter((area) => area > 1024 && area < 9216).length).toBeGreaterThan(30);
  expect(areas.filter((area) => area > 9216).length).toBeGreaterThan(8);
  expect(objects.filter(({ isCrowd }) => isCrowd).length).toBeGreaterThan(5);
  for (const { box, area } of objects) {
    const [x, y, width, height] = box;
    expect([x, y, width, height].every(Number.isInteger)).toBe(true);
    expect(Math.min(x, y)).toBeGreaterThanOrEqual(0);
    expect(x + width).toBeLessThanOrEqual(320);
    expect(y + height).toBeLessThanOrEqual(240);
    expect(area).toBeGreaterThanOrEqual(40);
    expect(area).toBeLessThanOrEqual(width * height);
  }
  const touching = drawn.filter(({ objects: own }) =>
    own.some(({ box: a }, i) =>
      own.some(
        ({ box: b }, j) =>
          j > i && a[0] < b[0] + b[2] && b[0] < a[0] + a[2] && a[1] < b[1] + b[3] && b[1] < a[1] + a[3],
      ),
    ),
  );
  expect(touching.length).toBeGreaterThan(10);
});

test("boxes are those of the visible part, and nothing hides more than half of another", () => {
  const square = (x: number, y: number, side: number) =>
    stencil([
      [
        [x, y],
        [x + side, y],
        [x + side, y + side],
        [x, y + side],
      ],
    ]);
  const parts = new VisibleParts(100, 80);
  expect(parts.tryPlace([square(10, 10, 20)])).toEqual([]);
  // Leaves 8 of 20 columns.
  expect(parts.tryPlace([square(18, 5, 40)])).toBeUndefined();
  expect(parts.tryPlace([square(20, 10, 20)])).toEqual([0]);
  // A quarter of it is inside.
  expect(parts.tryPlace([square(-20, -20, 40)])).toBeUndefined();
  expect(parts.tryPlace([square(80, 60, 24)])).toEqual([]);
  expect(parts.tryPlace([square(60, 10, 5)])).toBeUndefined();
  expect(parts.measure()).toEqual([
    { box: [10, 10, 10, 20], area: 200 },
    { box: [20, 10, 20, 20], area: 400 },
    { box: [80, 60, 20, 20], area: 400 },
  ]);
});

test("are written as COCO's files, read again, and judged", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "resnetc-scenes-"));
  try {
    const written = await writeScenes(path.join(folder, "a"), 3, { seed: 5, width: 96, height: 64 });
    const read = await readAnnotations(path.join(folder, "a", "instances.json"));
    expect(read).toEqual(written);
    const { files } = await locateImages(read.images, path.join(folder, "a", "images"));
    const first = [...drawScenes(1, { seed: 5, width: 96, height: 64 })][0]!;
    expect(Buffer.compare((await decodeImage(files.get(1)!)).data, first.pixels.data)).toBe(0);
    const perfect = read.objects.filter(({ isCrowd }) => !isCrowd).map((object) => ({ ...object, score: 0.5 }));
    expect(evaluateCoco(read, perfect).summary.AR100).toBe(1);

    await writeScenes(path.join(folder, "b"), 3, { seed: 5, width: 96, height: 64, format: "jpeg" });
    expect(await readdir(path.join(folder, "b", "images"))).toEqual(["000001.jpg", "000002.jpg", "000003.jpg"]);
    const instances = (name: string) => readFile(path.join(folder, name, "instances.json"), "utf8");
    expect((await instances("b")).replaceAll(".jpg", ".png")).toBe(await instances("a"));

    await writeFile(path.join(folder, "file"), "");
    await expect(writeScenes(path.join(folder, "file"), 1)).rejects.toThrow(/the folder can't be made/);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test.each([
  [0, {}, "scenes: the number of images must be a whole number from 1 to 1000000, not 0"],
  [1, { width: 8 }, "scenes: the width must be a whole number from 32 to 4096, not 8"],
  [1, { seed: 0.5 }, "scenes: the seed must be a whole number from 0 to 9007199254740991, not 0.5"],
])("what can't be drawn is told: %#", (count, options, line) => {
  expect(() => drawScenes(count, options).next()).toThrow(line);
});
