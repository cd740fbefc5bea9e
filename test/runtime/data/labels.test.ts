/** Images with any number of classes each: from a labels file, and from the objects in them. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { classifierData, isMultiLabel, type MultiLabelSplit, type Split } from "../../../runtime/data/data-set.js";
import { openDataSet } from "../../../runtime/data/open.js";
import { openScenes } from "../../../runtime/data/sources/synthetic/scenes/index.js";
import { openShapes } from "../../../runtime/data/sources/synthetic/shapes/index.js";
import { parseCsv } from "../../../runtime/data/sources/labels/csv.js";
import { solidPng } from "../../support/detection-data.js";

let root: string;
const at = (name: string): string => path.join(root, name);

beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), "resnetc-labels-"));
  await mkdir(at("photos"));
  for (let i = 0; i < 10; i++) await writeFile(at(`photos/${i}.png`), await solidPng(8, 6, [20 * i, 0, 0]));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const labelsOf = (split: Split): (readonly number[])[] => {
  expect(isMultiLabel(split)).toBe(true);
  return Array.from({ length: split.size }, (_, index) => (split as MultiLabelSplit).labels(index));
};
const filesOf = (split: Split): string[] =>
  Array.from({ length: split.size }, (_, index) => path.basename((split.reference(index) as { file: string }).file));

describe("a labels file", () => {
  const lines = Array.from({ length: 10 }, (_, i) => `photos/${i}.png,${["dog", "cat,dog", ""][i % 3]!}`);

  it("has each image's classes, sorted by name; a tenth or a part is set aside by the names of the files", async () => {
    await writeFile(at("labels.csv"), `\ufefffile,labels\r\n${lines.join("\r\n")}\r\n`);
    const data = await openDataSet(at("labels.csv"));
    expect(data).toMatchObject({ name: "labels.csv", classes: ["cat", "dog"], heldOut: { validation: 0.1, seed: 1 } });
    expect([data.train.size, data.validation.size, data.whole!.size]).toEqual([9, 1, 10]);
    expect(labelsOf(data.whole!).slice(0, 4)).toEqual([[1], [0, 1], [], [1]]);
    expect(data.warnings).toEqual([
      "labels.csv: comes undivided: 1 of 10 images are set aside for validation (10 %, seed 1)",
    ]);
    const again = await openDataSet(`labels:${at("labels.csv")}`, { validation: 4, seed: 3 });
    const aside = filesOf(again.validation);
    expect(aside).toHaveLength(4);
    expect(filesOf(again.train).filter((file) => aside.includes(file))).toEqual([]);
    // An image more moves none of the others to the other side, but for the one whose place it takes.
    await writeFile(at("photos/z.png"), await solidPng(8, 6, [0, 0, 0]));
    await writeFile(at("labels.csv"), [...lines, "photos/z.png,dog"].join("\n"));
    const more = await openDataSet(at("labels.csv"), { validation: 4, seed: 3 });
    expect(filesOf(more.validation).filter((file) => aside.includes(file)).length).toBeGreaterThanOrEqual(3);
    const chosen = await openDataSet(at("labels.csv"), { heldOut: { validation: 4, seed: 3 } });
    expect(filesOf(chosen.validation)).toEqual(filesOf(more.validation));
  });

  it("may be three in a folder", async () => {
    await writeFile(at("train.csv"), lines.slice(0, 6).join("\n"));
    await writeFile(at("val.csv"), `"photos/6.png","dog"\n`);
    await writeFile(at("test.csv"), lines.slice(7).join("\n"));
    const data = await openDataSet(root);
    expect([data.train, data.validation, data.test!].map(({ size }) => size)).toEqual([6, 1, 3]);
    expect(labelsOf(data.validation)).toEqual([[1]]);
    expect(data.whole).toBeUndefined();
    await expect(openDataSet(root, { validation: 2 })).rejects.toThrow("none can be set aside besides");
    await writeFile(at("val.csv"), "photos/6.png,dog,cow\n");
    await expect(openDataSet(root)).rejects.toThrow("val.csv: has classes that no training image has: cow");
  });

  it.each([
    ["photos/0.png,a\nphotos/0.png,b", /line 2: "?photos\/0.png"? is in line 1, too$/],
    [",a", /line 1: names no image$/],
    ["photos/0.png\nphotos/1.png,", /no image has a class: a line is file,class,class,...$/],
    ["", /names no image: a line is/],
    ['photos/0.png,"a"b', /line 1: quotes stand round a whole cell, and are doubled in it$/],
    ["photos/none.png,a", /none\.png/],
    ["../photos/0.png,a", /leads out of/],
  ])("%j is refused", async (text, message) => {
    await writeFile(at("labels.csv"), text);
    await expect(openDataSet(at("labels.csv"))).rejects.toThrow(message);
  });

  it("is read by RFC 4180", () => {
    const text = 'a,"b, ""c""","d\ne"\n\n,f,\r\nlast';
    expect(parseCsv(text, "x.csv")).toEqual([
      { line: 1, cells: ["a", 'b, "c"', "d\ne"] },
      { line: 4, cells: ["", "f", ""] },
      { line: 5, cells: ["last"] },
    ]);
  });
});

describe("the classes of objects", () => {
  it("are those of each image, once", () => {
    const scenes = openScenes({ train: 6, validation: 2, test: 2, width: 64, height: 48 });
    const { train, classes, test } = classifierData(scenes);
    const { objects } = scenes.train.annotations();
    expect(classes).toHaveLength(10);
    labelsOf(train).forEach((labels, index) => {
      const own = objects.filter(({ image }) => image === index + 1).map(({ category }) => category - 1);
      expect(labels).toEqual([...new Set(own)].sort((a, b) => a - b));
    });
    expect([train.annotations, test!.size]).toEqual([undefined, 2]);
    const shapes = openShapes();
    expect(classifierData(shapes)).toBe(shapes);
    expect(() => classifierData({ ...shapes, validation: scenes.validation })).toThrow("know different things");
  });

  it("of COCO's file are divided where training asks for it", async () => {
    const instances = {
      images: Array.from({ length: 10 }, (_, i) => ({ id: i + 1, file_name: `${i}.png` })),
      categories: [
        { id: 3, name: "cat" },
        { id: 7, name: "dog" },
      ],
      annotations: [7, 3, 7].map((category_id, i) => ({
        id: i + 1,
        image_id: 2,
        category_id,
        bbox: [0, 0, 5, 5],
        area: 25,
      })),
    };
    await writeFile(at("instances.json"), JSON.stringify(instances));
    const undivided = await openDataSet(at("instances.json"), { images: at("photos") });
    expect([undivided.train.size, undivided.heldOut, undivided.warnings]).toEqual([0, undefined, []]);
    expect(labelsOf(classifierData(undivided).whole!).slice(0, 3)).toEqual([[], [0, 1], []]);
    const divided = await openDataSet(at("instances.json"), { images: at("photos"), divide: true, seed: 2 });
    const { train, validation, heldOut } = classifierData(divided);
    expect([train.size, validation.size, heldOut]).toEqual([9, 1, { validation: 0.1, seed: 2 }]);
    expect([...filesOf(train), ...filesOf(validation)].sort()).toEqual(filesOf(undivided.whole!));
    expect([...labelsOf(train), ...labelsOf(validation)].flat().sort()).toEqual([0, 1]);
  });
});
