import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseCocoDetections, readCocoDetections } from "../../../runtime/data/sources/coco/detections.js";
import { parseCocoAnnotations, readCocoAnnotations } from "../../../runtime/data/sources/coco/annotations.js";
import { locateImages, readAnnotations } from "../../../runtime/data/sources/annotated/index.js";
import { parseVocXml, readVocFolder, VOC_CLASSES } from "../../../runtime/data/sources/voc/annotations.js";
import { parseXml } from "../../../runtime/data/sources/voc/xml.js";
import type { Detection } from "../../../runtime/data/objects.js";
import { writeCocoAnnotations, writeCocoDetections } from "../../../runtime/data/sources/coco/write.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "resnetc-detection-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const at = (...names: string[]) => path.join(folder, ...names);

const ANNOTATION = { id: 5, image_id: 1, category_id: 3, bbox: [1, 2, 30, 40], area: 1100.5, iscrowd: 0 };
function instances(change: Record<string, unknown> = {}, ...annotations: Record<string, unknown>[]): object {
  return {
    info: { year: 2017 },
    images: [
      { id: 1, file_name: "a.jpg", width: 640, height: 480 },
      { id: 2, file_name: "train/b.jpg", width: 64, height: 48 },
    ],
    categories: [
      { id: 3, name: "cat" },
      { id: 90, name: "dog" },
    ],
    annotations: annotations.length > 0 ? annotations : [ANNOTATION],
    ...change,
  };
}

describe("COCO annotations", () => {
  test("are read", () => {
    const crowd = { ...ANNOTATION, id: 6, iscrowd: 1, area: undefined };
    const data = parseCocoAnnotations(instances({}, ANNOTATION, crowd), "x.json");
    expect(data.images[1]).toEqual({ id: 2, file: "train/b.jpg", width: 64, height: 48 });
    expect(data.categories.map(({ name }) => name)).toEqual(["cat", "dog"]);
    expect(data.objects).toEqual([
      { id: 5, image: 1, category: 3, box: [1, 2, 30, 40], area: 1100.5, isCrowd: false, isDifficult: false },
      { id: 6, image: 1, category: 3, box: [1, 2, 30, 40], area: 1200, isCrowd: true, isDifficult: false },
    ]);
    expect(data.warnings).toEqual(['x.json: 1 annotation without "area": taken from the box (first: annotation 6)']);
  });

  test("of images and categories that are not listed are left out and counted", () => {
    const { objects, warnings } = parseCocoAnnotations(
      instances(
        {},
        ANNOTATION,
        { ...ANNOTATION, id: 6, image_id: 9 },
        { ...ANNOTATION, id: 7, image_id: 8 },
        { ...ANNOTATION, id: 8, category_id: 4 },
        { ...ANNOTATION, id: 0 },
      ),
      "x.json",
    );
    expect(objects.map(({ id }) => id)).toEqual([5, 0]);
    expect(warnings).toEqual([
      "x.json: left out 2 annotations of images that are not listed (first: annotation 6 of image 9)",
      "x.json: left out 1 annotation of categories that are not listed (first: annotation 8 of category 4)",
      "x.json: an annotation has id 0, and COCO's evaluation takes what finds it for wrong: number from 1",
    ]);
  });

  test.each([
    [[], "x.json: [] is no object"],
    [{}, 'x.json: "images" must be a list, not absent'],
    [instances({ images: [3] }), "x.json: image number 1: 3 is no object"],
    [instances({ images: [{ id: 1.5 }, { id: 1 }] }), 'x.json: image number 1: "id" must be a whole number, not 1.5'],
    [instances({ images: [{ id: 1, width: 0, height: 3 }] }), "x.json: image 1: an image can't be of 0 x 3 pixels"],
    [instances({ images: [{ id: 1 }, { id: 1 }] }), "x.json: image 1: there are two with this id"],
    [instances({ categories: [{ id: 1 }] }), 'x.json: category 1: "name" must be a text, not absent'],
    [instances({}, ANNOTATION, ANNOTATION), "x.json: annotation 5: there are two with this id"],
    [instances({}, { ...ANNOTATION, bbox: [1, 2, -3, 4] }), 'x.json: annotation 5: "bbox" has a negative size: -3 x 4'],
    [
      instances({}, { ...ANNOTATION, bbox: [1, 2, 3] }),
      'x.json: annotation 5: "bbox" must be four numbers: x, y, width and height, not [1,2,3]',
    ],
    [
      instances({}, { ...ANNOTATION, bbox: [1, 2, 3, Infinity] }),
      'x.json: annotation 5: "bbox" must be four numbers: x, y, width and height, not [1,2,3,Infinity]',
    ],
    [instances({}, { ...ANNOTATION, area: Infinity }), 'x.json: annotation 5: "area" must be a number, not Infinity'],
    [instances({}, { ...ANNOTATION, area: -1 }), 'x.json: annotation 5: "area" is negative: -1'],
    [instances({}, { ...ANNOTATION, iscrowd: 2 }), 'x.json: annotation 5: "iscrowd" must be 0 or 1, not 2'],
    [
      instances({}, { ...ANNOTATION, image_id: 1.5 }),
      'x.json: annotation 5: "image_id" must be a whole number, not 1.5',
    ],
  ])("that are wrong are told in one line: %#", (json, line) => {
    expect(() => parseCocoAnnotations(json, "x.json")).toThrow(expect.objectContaining({ message: line }) as Error);
  });

  test("files that are none", async () => {
    await writeFile(at("word.json"), '[{"score": None}]');
    await expect(readCocoAnnotations(at("none.json"))).rejects.toThrow(`${at("none.json")}: no such file`);
    await expect(readCocoAnnotations(folder)).rejects.toThrow(`${folder}: a folder, not a file`);
    await expect(readCocoAnnotations(at("word.json"))).rejects.toThrow(
      /^[^\n]*word\.json: not JSON: unexpected token [^\n]*$/,
    );
  });

  test("are written and read again, to the same bytes", async () => {
    const data = parseCocoAnnotations(instances(), "x.json");
    await writeCocoAnnotations(at("written.json"), data);
    const again = await readAnnotations(at("written.json"));
    expect(again).toEqual(data);
    const bytes = await readFile(at("written.json"), "utf8");
    await writeCocoAnnotations(at("written.json"), again);
    expect(await readFile(at("written.json"), "utf8")).toBe(bytes);
  });
});

describe("COCO detections", () => {
  const data = parseCocoAnnotations(instances(), "x.json");
  const good = { image_id: 1, category_id: 3, bbox: [0, 0, 5, 5], score: 0.5 };

  test("are read; an image may be named", () => {
    const named = ["train/b.jpg", "b.jpg", "b"].map((image_id) => ({ ...good, image_id }));
    const { detections, warnings } = parseCocoDetections([good, ...named, { ...good, category_id: 4 }], "d.json", data);
    expect(detections.map(({ image }) => image)).toEqual([1, 2, 2, 2]);
    expect(warnings).toEqual([
      "d.json: left out 1 detection of categories that the annotations don't list (first: number 5 of category 4)",
    ]);
  });

  test.each([
    [{}, "d.json: detections must be a list"],
    [[{ ...good, image_id: 7 }], "d.json: detection number 1: the annotations list no image 7"],
    [[good, { ...good, image_id: "c" }], 'd.json: detection number 2: the annotations list no image "c"'],
    [[{ ...good, score: "1" }], 'd.json: detection number 1: "score" must be a number, not "1"'],
    [[{ ...good, score: Infinity }], 'd.json: detection number 1: "score" must be a number, not Infinity'],
    [[{ ...good, bbox: [0, 0, 1, -1] }], 'd.json: detection number 1: "bbox" has a negative size: 1 x -1'],
    [[null], "d.json: detection number 1: null is no object"],
  ])("that are wrong are told in one line: %#", (json, line) => {
    expect(() => parseCocoDetections(json, "d.json", data)).toThrow(
      expect.objectContaining({ message: line }) as Error,
    );
  });

  test("come back as they were written", async () => {
    const detections: Detection[] = Array.from({ length: 9000 }, (_, i) => ({
      image: 1 + (i % 2),
      category: 3,
      box: [i / 7, Math.fround(i / 3), 10, 1e-7],
      score: Math.fround(1 / (i + 1)),
    }));
    await writeCocoDetections(at("dets.json"), detections);
    expect(await readCocoDetections(at("dets.json"), data)).toEqual({ detections, warnings: [] });
    const text = await readFile(at("dets.json"), "utf8");
    expect(text.split("\n")[1]).toBe('{"image_id":1,"category_id":3,"bbox":[0,0,10,1e-7],"score":1},');
    await writeCocoDetections(at("empty.json"), []);
    expect(await readCocoDetections(at("empty.json"), data)).toEqual({ detections: [], warnings: [] });
  });
});

function xml(name: string, ...objects: string[]): string {
  return `<?xml version="1.0"?><annotation>
    <folder>VOC2007</folder><filename>${name}</filename>
    <source><database>The VOC2007 Database</database></source>
    <size><width>353</width><height>500</height><depth>3</depth></size>
    ${objects.join("\n")}</annotation>`;
}
function object(name: string, [x1, y1, x2, y2]: readonly (number | string)[], more = ""): string {
  return `<object><name>${name}</name><pose>Left</pose>${more}
    <bndbox><xmin>${x1}</xmin><ymin>${y1}</ymin><xmax>${x2}</xmax><ymax>${y2}</ymax></bndbox></object>`;
}

describe("PASCAL VOC annotations", () => {
  test("are read: corners from 1 that contain their pixels, difficult objects, parts left alone", () => {
    const part = `<part><name>head</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax></bndbox></part>`;
    const image = parseVocXml(
      xml(
        "000001.jpg",
        object("dog", [48, 240, 195, 371], "<difficult>0</difficult>"),
        object("person", [8, 12, 352, 498], `<difficult>1</difficult>${part}`),
        object("cat &amp; <![CDATA[<co>]]>", [1, 1, 1, "1.5"]),
      ),
      "000001.xml",
    );
    expect(image).toEqual({
      file: "000001.jpg",
      width: 353,
      height: 500,
      objects: [
        { name: "dog", box: [47, 239, 148, 132], area: 148 * 132, isDifficult: false },
        { name: "person", box: [7, 11, 345, 487], area: 345 * 487, isDifficult: true },
        { name: "cat & <co>", box: [0, 0, 1, 1.5], area: 1.5, isDifficult: false },
      ],
    });
  });

  test("an image's file is never outside", () => {
    expect(parseVocXml(xml("/home/me/../a.jpg"), "x/000001.xml").file).toBe("a.jpg");
    expect(parseVocXml(xml("C:\\me\\a.jpg"), "x/000001.xml").file).toBe("a.jpg");
    expect(parseVocXml("<annotation/>", "x/000001.xml")).toEqual({ file: "000001", objects: [] });
  });

  test.each([
    [xml("a.jpg", object("dog", [10, 10, 9, 20])), 'a.xml: the box of "dog" has a negative size: (10, 10) to (9, 20)'],
    [xml("a.jpg", object("dog", ["ten", 10, 9, 20])), 'a.xml: <xmin> must be a number, not "ten"'],
    [xml("a.jpg", object("dog", ["", 10, 9, 20])), 'a.xml: <xmin> must be a number, not ""'],
    [xml("a.jpg", "<object><name>dog</name></object>"), 'a.xml: "dog" has no box (<bndbox>)'],
    [xml("a.jpg", "<object></object>"), "a.xml: <object> without <name>"],
    ["<html/>", "a.xml: <html> is no annotation of PASCAL VOC's kind"],
    ["", "a.xml:1: not XML that can be read: empty"],
    ["<annotation>\n<object>", "a.xml:2: not XML that can be read: unclosed root tag"],
    ["<annotation><b></annotation>", "a.xml:1: not XML that can be read: unexpected close tag"],
    [
      '<!DOCTYPE a [<!ENTITY e "boom">]><annotation><filename>&e;</filename></annotation>',
      "a.xml:1: not XML that can be read: invalid character entity",
    ],
    ["<a>".repeat(40), "a.xml:1: not XML that can be read: more than 32 elements in one another"],
  ])("that are wrong are told in one line: %#", (text, line) => {
    expect(() => parseVocXml(text, "a.xml")).toThrow(expect.objectContaining({ message: line }) as Error);
  });

  test("entities are not expanded, however deep", () => {
    const laughs = Array.from({ length: 20 }, (_, i) => `<!ENTITY e${i + 1} "${`&e${i};`.repeat(10)}">`).join("");
    expect(() => parseXml(`<!DOCTYPE a [<!ENTITY e0 "x">${laughs}]><a>&e20;</a>`, "a.xml")).toThrow(/entity$/);
  });

  test("folders are read, whole or by a list", async () => {
    const root = at("VOC2007");
    await mkdir(path.join(root, "Annotations"), { recursive: true });
    await mkdir(path.join(root, "ImageSets", "Main"), { recursive: true });
    for (const name of ["2008_000007", "2008_000002", "2009_000001"]) {
      await writeFile(path.join(root, "Annotations", `${name}.xml`), xml(`${name}.jpg`, object("dog", [1, 1, 10, 10])));
    }
    await writeFile(path.join(root, "ImageSets", "Main", "dog_val.txt"), "2008_000007  1\r\n2008_000002 -1\n\n");
    await writeFile(path.join(root, "ImageSets", "Main", "bad.txt"), "../../etc/passwd\n");

    const data = await readAnnotations(root);
    expect(data.images.map(({ id }) => id)).toEqual([2008000002, 2008000007, 2009000001]);
    expect(data.categories.map(({ name }) => name)).toEqual(VOC_CLASSES);
    expect(data.objects.map(({ id, image, category }) => [id, image, category])).toEqual([
      [1, 2008000002, 12],
      [2, 2008000007, 12],
      [3, 2009000001, 12],
    ]);
    expect((await readVocFolder(root, { set: "dog_val" })).images).toHaveLength(2);
    expect((await readVocFolder(path.join(root, "Annotations"))).images).toHaveLength(3);

    const cats = await readVocFolder(root, { classes: ["cat"] });
    expect(cats.objects).toEqual([]);
    expect(cats.warnings).toEqual([
      `${root}: left out 3 objects of other classes than those asked for (first: "dog" in 2008_000002.xml)`,
    ]);
    await expect(readVocFolder(root, { set: "bad" })).rejects.toThrow('"../../etc/passwd" is no image\'s name');
    await expect(readVocFolder(root, { set: "../x" })).rejects.toThrow('"../x" is no name of a list');
    await expect(readVocFolder(root, { set: "none" })).rejects.toThrow("none.txt: no such file");
    await expect(readVocFolder(at("nowhere"))).rejects.toThrow(`${at("nowhere")}: no such folder`);
    await expect(readVocFolder(path.join(root, "ImageSets"))).rejects.toThrow("no annotations (XML files)");
  });
});

test("images are located, and only inside their folder", async () => {
  await mkdir(at("images", "sub"), { recursive: true });
  await writeFile(at("images", "sub", "a.png"), "");
  const image = (id: number, file: string) => ({ id, file });
  expect(await locateImages([image(1, "sub/a.png")], at("images"))).toEqual({
    files: new Map([[1, at("images", "sub", "a.png")]]),
    warnings: [],
  });
  await expect(
    locateImages([image(1, "sub/a.png"), image(2, "b.png"), image(3, "c.png")], at("images")),
  ).rejects.toThrow(`${at("images")}: b.png is not there, 2 in all`);
  for (const file of ["../x.png", "/etc/passwd", "sub/../../x.png", "..\\x.png"]) {
    await expect(locateImages([image(4, file)], at("images"))).rejects.toThrow("leads out of");
  }
});
