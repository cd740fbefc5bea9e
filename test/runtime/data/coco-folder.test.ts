/** Folders with COCO's annotations of each part. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { evaluationSplit, type DataSet } from "../../../runtime/data/data-set.js";
import { openDataSet } from "../../../runtime/data/open.js";
import { solidPng } from "../../support/detection-data.js";

let root: string;
beforeAll(async () => void (root = await mkdtemp(path.join(tmpdir(), "resnetc-coco-"))));
afterAll(() => rm(root, { recursive: true }));

/** Writes files of a new folder: JSON of these images' annotations, or images. */
async function folder(name: string, files: Record<string, readonly string[]>, names = ["cat", "dog"]): Promise<string> {
  const pixels = await solidPng(20, 10, [255, 0, 0]);
  for (const [file, images] of Object.entries(files)) {
    const place = path.join(root, name, file);
    await mkdir(file.endsWith(".json") ? path.dirname(place) : place, { recursive: true });
    const json = {
      images: images.map((file_name, i) => ({ id: i + 1, file_name, width: 20, height: 10 })),
      categories: names.map((name, i) => ({ id: i + 1, name })),
      annotations: images.map((_, i) => ({ id: i + 1, image_id: i + 1, category_id: 1, bbox: [0, 0, 5, 5], area: 25 })),
    };
    if (file.endsWith(".json")) await writeFile(place, JSON.stringify(json));
    else for (const image of images) await writeFile(path.join(place, image), pixels);
  }
  return path.join(root, name);
}

const sizes = ({ train, validation, test, whole }: DataSet) =>
  [train, validation, test, whole].map((split) => split?.size);

describe("a folder of COCO's kind", () => {
  it("as COCO's archives unpack: a file of annotations and a folder of images for each part", async () => {
    const place = await folder("coco", {
      "annotations/instances_train2017.json": ["a.png", "b.png"],
      "annotations/instances_val2017.json": ["a.png"],
      "annotations/captions_val2017.json": [],
      train2017: ["a.png", "b.png"],
      val2017: ["a.png"],
    });
    const data = await openDataSet(`coco:${place}`);
    expect(data).toMatchObject({ name: "coco", classes: ["cat", "dog"], warnings: [] });
    expect(sizes(data)).toEqual([2, 1, undefined, undefined]);
    // Images of one name are each in the folder of its part.
    expect(data.train.reference(0)).toEqual({ kind: "file", file: path.join(place, "train2017/a.png") });
    expect(data.validation.reference(0)).toEqual({ kind: "file", file: path.join(place, "val2017/a.png") });
    expect(data.train.annotations!().objects).toHaveLength(2);
    expect(evaluationSplit(data).name).toBe("validation");
    await expect(openDataSet(`coco:${place}`, { validation: 0.5 })).rejects.toThrow(
      "coco: has validation images of its own (val2017): none can be set aside",
    );
    const without = await openDataSet(`coco:${place}`, { images: false });
    expect(() => without.train.reference(0)).toThrow("was opened without its images");
  });

  it("with images below a folder `images`, or one that is said", async () => {
    const files = { "annotations/train.json": ["a.png"], "annotations/val.json": ["b.png"] };
    const place = await folder("below", { ...files, "images/train": ["a.png"], "images/val": ["b.png"] });
    const data = await openDataSet(`coco:${place}`);
    expect(data.validation.reference(0)).toEqual({ kind: "file", file: path.join(place, "images/val/b.png") });
    const elsewhere = await folder("elsewhere", { ".": ["a.png", "b.png"] });
    const moved = await openDataSet(`coco:${place}`, { images: elsewhere });
    expect(moved.train.reference(0)).toEqual({ kind: "file", file: path.join(elsewhere, "a.png") });
  });

  it("as tools export it: annotations beside the images of each part", async () => {
    const names = ["train", "valid", "test"];
    const files = names.flatMap((part) => [[part, ["a.png"]] as const, [`${part}/_annotations.coco.json`, ["a.png"]] as const]);
    const place = await folder("exported", Object.fromEntries(files));
    const data = await openDataSet(`coco:${place}`);
    expect(sizes(data)).toEqual([1, 1, 1, undefined]);
    expect([data.train, data.validation, data.test!].map(({ name }) => name)).toEqual(["train", "validation", "test"]);
    expect(data.test!.reference(0)).toEqual({ kind: "file", file: path.join(place, "test/a.png") });
  }); // prettier-ignore

  it("without validation images is divided for training", async () => {
    const images = ["a.png", "b.png", "c.png", "d.png"];
    const place = await folder("alone", { "train.json": images, images });
    const data = await openDataSet(`coco:${place}`, { divide: true, validation: 1 });
    expect(sizes(data)).toEqual([3, 1, undefined, 4]);
    expect(data.warnings).toEqual([expect.stringMatching(/^alone: comes undivided: 1 of 4 images are set aside/)]);
  });

  it("whose parts can't be told or differ is refused", async () => {
    const both = await folder("both", { "annotations/instances_train2014.json": [], "annotations/instances_train2017.json": [] });
    await expect(openDataSet(`coco:${both}`)).rejects.toThrow(
      "both: has annotations/instances_train2014.json and annotations/instances_train2017.json: which of them is meant?",
    );
    const none = await folder("none", { "annotations/instances_val2017.json": [] });
    await expect(openDataSet(`coco:${none}`)).rejects.toThrow(
      "none: has no annotations of training images: expected annotations/instances_train*.json, or train/_annotations.coco.json",
    );
    const other = await folder("other", { "train.json": ["a.png"], images: ["a.png"] });
    await folder("other", { "val.json": ["a.png"] }, ["cat", "wolf"]);
    await expect(openDataSet(`coco:${other}`)).rejects.toThrow(
      /other\/val\.json: its categories are not those of train\.json: number 2 is "wolf", there "dog"/,
    );
  }); // prettier-ignore
});
