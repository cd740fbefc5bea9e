/** Data sets with boxes: the same kind as those with classes, by the same names. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { evaluationSplit, isAnnotated, isLabelled, subset } from "../../../runtime/data/data-set.js";
import { openDataSet } from "../../../runtime/data/open.js";
import { openSample, sampleSource } from "../../../runtime/data/sample.js";
import { solidPng } from "../../support/detection-data.js";

let root: string;
const at = (name: string): string => path.join(root, name);

beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), "resnetc-annotated-"));
  for (const folder of ["images", "voc/Annotations", "voc/JPEGImages", "voc/ImageSets/Main"]) {
    await mkdir(at(folder), { recursive: true });
  }
  const images = ["a", "b", "c"];
  for (const [index, name] of images.entries()) {
    const bytes = await solidPng(20 + index, 10, [255, 0, 0]);
    await writeFile(at(`images/${name}.png`), bytes);
    await writeFile(at(`voc/JPEGImages/${name}.png`), bytes);
    const object = `<object><name>${index === 2 ? "dog" : "cat"}</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>5</xmax><ymax>${index + 2}</ymax></bndbox></object>`;
    await writeFile(
      at(`voc/Annotations/${name}.xml`),
      `<annotation><filename>${name}.png</filename>${object}</annotation>`,
    );
  }
  const lists = { train: "a\nb\n", val: "c\n", test: "elsewhere\n", cats: "b 1\n" };
  for (const [name, text] of Object.entries(lists)) await writeFile(at(`voc/ImageSets/Main/${name}.txt`), text);
  const instances = {
    images: images.map((name, index) => ({ id: index + 1, file_name: `${name}.png` })),
    categories: [
      { id: 3, name: "cat" },
      { id: 7, name: "dog" },
    ],
    annotations: images.map((_, index) => ({ id: index + 1, image_id: index + 1, category_id: 3, bbox: [0, 0, 5, 5] })),
  };
  await writeFile(at("instances.json"), JSON.stringify(instances));
});
afterAll(() => rm(root, { recursive: true, force: true }));

describe("COCO's file", () => {
  it("is undivided: its classes are the categories, its images beside it or where it is said", async () => {
    for (const place of [`coco:${at("instances.json")}`, at("instances.json")]) {
      const data = await openDataSet(place);
      expect(data).toMatchObject({ name: "instances.json", classes: ["cat", "dog"] });
      const split = evaluationSplit(data);
      expect([split.name, split.size, isAnnotated(split), isLabelled(split)]).toEqual(["all", 3, true, false]);
      expect(split.reference(1)).toEqual({ kind: "file", file: at("images/b.png") });
      expect(sampleSource(split.reference(1))).toBe(at("images/b.png"));
      expect((await openSample(split.reference(2))).size).toEqual([10, 22]);
      expect(() => evaluationSplit(data, "train")).toThrow("instances.json: has no train images");
    }
    const elsewhere = await openDataSet(at("instances.json"), { images: at("voc/JPEGImages") });
    expect(elsewhere.whole!.reference(0)).toEqual({ kind: "file", file: at("voc/JPEGImages/a.png") });
  });

  it("can be judged by without its images, which are not looked for then", async () => {
    const { whole } = await openDataSet(at("instances.json"), { images: false });
    expect(whole!.annotations!().objects).toHaveLength(3);
    expect(() => whole!.reference(0)).toThrow("was opened without its images");
  });
});

describe("PASCAL VOC's folder", () => {
  it("is divided by its lists or by none: one that can't be used is no reason to divide it otherwise", async () => {
    const list = (name: string): string => at(`voc/ImageSets/Main/${name}.txt`);
    const opened = (): Promise<unknown> => openDataSet(`voc:${at("voc")}`, { divide: true });
    await expect(opened()).resolves.toMatchObject({ train: { size: 2 }, validation: { size: 1 } });
    try {
      await writeFile(list("train"), "a\nb\nd\ne\n");
      await expect(opened()).rejects.toThrow(`${list("train")}: 2 images without annotations (first: d)`);
      await writeFile(list("train"), "\n");
      await expect(opened()).rejects.toThrow(`${list("train")}: lists no images`);
      await rm(list("train"));
      await expect(opened()).rejects.toThrow("has a list val, and none that is called train");
    } finally {
      await writeFile(list("train"), "a\nb\n");
    }
  });

  it("has its lists for parts, where all their images are annotated", async () => {
    for (const place of [`voc:${at("voc")}`, at("voc")]) {
      const data = await openDataSet(place);
      const files = (part: "train" | "validation" | "whole") =>
        data[part]!.annotations!().images.map(({ file }) => file);
      expect(files("whole")).toEqual(["a.png", "b.png", "c.png"]);
      expect(files("train")).toEqual(["a.png", "b.png"]);
      expect(files("validation")).toEqual(["c.png"]);
      expect(data.test).toBeUndefined();
      expect(evaluationSplit(data).name).toBe("all");
      expect(data.validation.annotations!().objects).toMatchObject([{ box: [0, 0, 5, 4] }]);
      expect(data.validation.reference(0)).toEqual({ kind: "file", file: at("voc/JPEGImages/c.png") });
    }
  });

  it("is one list where that is asked for", async () => {
    const { whole, train } = await openDataSet(`voc:${at("voc")}`, { set: "cats" });
    expect(whole!.annotations!().images.map(({ file }) => file)).toEqual(["b.png"]);
    expect(train.size).toBe(0);
    await expect(openDataSet(`voc:${at("voc")}`, { set: "none" })).rejects.toThrow("none.txt: no such file");
  });
});

it("some of the samples: their images and the objects in them", async () => {
  const { whole } = await openDataSet(at("instances.json"));
  const some = subset(whole!, Uint32Array.from([2, 0]));
  expect(some.annotations!().images.map(({ id }) => id)).toEqual([3, 1]);
  expect(some.annotations!().objects.map(({ image }) => image)).toEqual([1, 3]);
  expect(some.reference(0)).toEqual(whole!.reference(2));
});

it.each([
  ["scenes:7", [7, 7, 7]],
  ["scenes:9/2/3", [9, 2, 3]],
])("%s has so many images in each part", async (data, sizes) => {
  const { train, validation, test } = await openDataSet(data);
  expect([train.size, validation.size, test!.size]).toEqual(sizes);
});

it.each<[string, object, string]>([
  ["coco:", {}, "coco:: a file or a folder follows coco:"],
  ["shapes:5", {}, "shapes:5: nothing follows shapes"],
  ["scenes:many", {}, "scenes:many: the number of images follows scenes:"],
  ["scenes:4000/200", {}, "those of training, validation and test: scenes:4000/200/200"],
  ["scenes:4000/0/200", {}, "scenes: validation must have from 1 to 10000000 images, not 0"],
  ["scenes", { images: "x" }, "scenes: has its images where it is"],
  ["scenes", { set: "val" }, "scenes: has no lists of images"],
  ["shapes", { validation: 0.1 }, "shapes: has validation images of its own, or none: none can be set aside"],
  ["coco:none.json", {}, "none.json: no such file"],
  ["coco", {}, "coco: no such folder (the data sets that need no files are named shapes and scenes)"],
])("%s %j is one clear line", async (data, options, message) => {
  await expect(openDataSet(data, options)).rejects.toThrow(message);
});
