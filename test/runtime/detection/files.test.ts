/** Annotation files as they come: encodings, compression, Python's numbers, files that ask for all memory, several faults. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readCocoDetections, parseCocoDetections } from "../../../runtime/data/sources/coco/detections.js";
import { parseCocoAnnotations, readCocoAnnotations } from "../../../runtime/data/sources/coco/annotations.js";
import { parseJson } from "../../../runtime/data/sources/coco/json.js";
import { readVocFolder } from "../../../runtime/data/sources/voc/annotations.js";
import { evaluateCoco } from "../../../runtime/detection/evaluate/coco.js";
import { writeCocoDetections, withOwnIds } from "../../../runtime/data/sources/coco/write.js";
import { processorTime } from "../../support/processor-time.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "resnetc-annotations-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const utf16 = (text: string, isBig = false): Buffer => {
  const bytes = Buffer.from(text, "utf16le");
  return isBig ? bytes.swap16() : bytes;
};
const annotation = (id: number | string, change: object = {}) => ({
  ...{ id, image_id: 1, category_id: 1, bbox: [4, 4, 26, 26], area: 676, iscrowd: 0 },
  ...change,
});
const instances = (...annotations: object[]) => ({
  images: [{ id: 1, file_name: "1.jpg", width: 64, height: 48 }],
  categories: [{ id: 1, name: "cat" }],
  annotations,
});

describe("JSON", () => {
  const text = JSON.stringify(instances(annotation(1)));
  const value = JSON.parse(text) as unknown;

  test.each<[string, Buffer]>([
    ["a byte order mark", Buffer.from(`\ufeff${text}`)],
    ["UTF-16 with a mark", Buffer.concat([Buffer.from([0xff, 0xfe]), utf16(text)])],
    ["UTF-16 of the other order", Buffer.concat([Buffer.from([0xfe, 0xff]), utf16(text, true)])],
    ["UTF-16 without a mark", utf16(text)],
    ["gzip", gzipSync(text)],
    ["gzip with a mark inside", gzipSync(`\ufeff${text}`)],
  ])("%s is read", (_, bytes) => expect(parseJson(bytes, "x.json")).toEqual(value));

  test("Python's NaN and Infinity are numbers, but not in texts", async () => {
    const python = `{"images": [{"id": 1, "file_name": "NaN, \\"Infinity\\" and -Infinity.jpg"}],
      "categories": [{"id": 1, "name": "NaN"}], "annotations": [
      {"id": 1, "image_id": 1, "category_id": 1, "bbox": [4, 4, 26, 26], "area": NaN, "iscrowd": 0, "other": [-Infinity]}]}`;
    await writeFile(path.join(folder, "nan.json"), python);
    const data = await readCocoAnnotations(path.join(folder, "nan.json"));
    expect(data.images[0]!.file).toBe('NaN, "Infinity" and -Infinity.jpg');
    expect(data.categories[0]!.name).toBe("NaN");
    expect(data.objects[0]!.area).toBeNaN();
    expect(data.warnings).toEqual([
      expect.stringContaining('1 annotation with the "area" NaN: of every size, as pycocotools counts them'),
    ]);
    // As in pycocotools, no comparison with NaN holds, so that it is in no range's outside.
    const { summary } = evaluateCoco(data, [{ image: 1, category: 1, box: [4, 4, 26, 26], score: 0.9 }]);
    expect(summary).toMatchObject({ AP: expect.closeTo(1, 9) as number, APs: expect.closeTo(1, 9) as number });
    expect(summary.ARl).toBe(1);
  });

  test.each<[string, string, string]>([
    ["bbox", '[{"image_id": 1, "category_id": 1, "bbox": [NaN, 0, 1, 1], "score": 1}]', "not [NaN,0,1,1]"],
    ["score", '[{"image_id": 1, "category_id": 1, "bbox": [0, 0, 1, 1], "score": -Infinity}]', "not -Infinity"],
    ["score", '[{"image_id": 1, "category_id": 1, "bbox": [0, 0, 1, 1], "score": NaN}]', "not NaN"],
  ])("%s that is none: %s", async (_, text, message) => {
    await writeFile(path.join(folder, "d.json"), text);
    const data = parseCocoAnnotations(instances(), "x.json");
    await expect(readCocoDetections(path.join(folder, "d.json"), data)).rejects.toThrow(message);
  });

  test.each<[string, Buffer | string, RegExp]>([
    ["a ZIP archive", Buffer.from("PK\u0003\u0004abc"), /^x\.json: a ZIP archive, not JSON; unpack it$/],
    ["half a gzip", gzipSync(text).subarray(0, 60), /^x\.json: damaged or cut short \(gzip\)$/],
    ["Latin-1", Buffer.from('["k\u00e4se"]', "latin1"), /^x\.json: not JSON: it is not in UTF-8$/],
    ["UTF-32", Buffer.from([0xff, 0xfe, 0, 0, 0x5b, 0, 0, 0]), /^x\.json: is in UTF-32, which is not read/],
    ["control characters", "\u001b[2J{", /^x\.json: not JSON: [ -~]*$/],
    ["a page", "<!DOCTYPE html>\n<html>", /^x\.json: not JSON: unexpected token '<'$/],
    ["nothing", "", /^x\.json: not JSON: unexpected end of JSON input$/],
    ["half of it", text.slice(0, 100), /^x\.json: not JSON: [ -~]+$/],
  ])("%s: one line", (_, content, line) => {
    expect(() => parseJson(Buffer.from(content), "x.json")).toThrow(
      expect.objectContaining({ message: expect.stringMatching(line) as string }) as Error,
    );
  });

  test.each<[string, () => Buffer, RegExp]>([
    ["nested lists", () => Buffer.alloc(50_000_000, "["), /more than 64 lists in one another$/],
    ["brackets", () => Buffer.alloc(120_000_000, "[],"), /its values would take more than the 2 GB that are read$/],
    ["objects", () => Buffer.alloc(120_000_000, "{},"), /its values would take/],
    ["numbers", () => Buffer.alloc(300_000_000, "0,"), /its values would take/],
    ["texts", () => Buffer.alloc(200_000_000, '"a",'), /its values would take/],
    ["bombs", () => gzipSync(Buffer.alloc(530_000_000, " ")), /unpacked it is more than the \d+ bytes that are read/],
  ])(
    "%s that would take all memory are refused in seconds",
    (_, make, line) => {
      const bytes = make();
      const before = process.memoryUsage().rss;
      const worked = processorTime();
      expect(() => parseJson(bytes, "x.json")).toThrow(line);
      expect(worked()).toBeLessThan(20_000);
      expect(process.memoryUsage().rss - before).toBeLessThan(1_200_000_000);
    },
    60_000,
  );
});

describe("COCO's optional fields", () => {
  test("null is as absent, and told where it may matter", () => {
    const json = {
      ...instances(annotation(1), annotation(2, { area: null }), annotation(3, { iscrowd: null })),
      images: [{ id: 1, file_name: "1.jpg", width: null, height: 48 }],
    };
    const data = parseCocoAnnotations(json, "x.json");
    expect(data.images).toEqual([{ id: 1, file: "1.jpg" }]);
    expect(data.objects.map(({ area, isCrowd }) => [area, isCrowd])).toEqual(Array(3).fill([676, false]));
    expect(data.warnings).toEqual([
      'x.json: 1 annotation without "area": taken from the box (first: annotation 2)',
      'x.json: 1 annotation with "iscrowd" null: taken for no crowds (first: annotation 3)',
    ]);
  });

  test("all that is wrong is counted, the first few are named", () => {
    const wrong = [
      annotation(1, { bbox: [0, 0, -1, 5] }),
      annotation(2, { bbox: undefined }),
      annotation(3, { area: "5" }),
      annotation(4, { iscrowd: 7 }),
      annotation(5),
      annotation(5),
    ];
    expect(() => parseCocoAnnotations(instances(...wrong), "x.json")).toThrow(
      expect.objectContaining({
        message:
          'x.json: 5 problems: annotation 1: "bbox" has a negative size: -1 x 5; annotation 2: "bbox" must be four numbers: ' +
          'x, y, width and height, not absent; annotation 3: "area" must be a number, not "5"; and 2 more',
      }) as Error,
    );
    const data = parseCocoAnnotations(instances(), "x.json");
    const detections = [7, 8, 1].map((image_id) => ({ image_id, category_id: 1, bbox: [0, 0, 1, 1], score: 1 }));
    expect(() => parseCocoDetections(detections, "d.json", data)).toThrow(
      "d.json: 2 problems: detection number 1: the annotations list no image 7; detection number 2: the annotations",
    );
  });

  test("ids that are texts go through a file and back", async () => {
    const json = {
      images: [{ id: "b7c0", file_name: "1.jpg" }],
      categories: [{ id: "k", name: "cat" }],
      annotations: [annotation("z", { image_id: "b7c0", category_id: "k" })],
    };
    const data = parseCocoAnnotations(json, "x.json");
    const found = { image: 1, category: 1, box: [4, 4, 26, 26], score: 0.5 } as const;
    const file = path.join(folder, "texts.json");
    await writeCocoDetections(file, withOwnIds([found], data));
    expect((await readCocoDetections(file, data)).detections).toEqual([found]);
    const stray = parseCocoDetections(
      [{ image_id: "b7c0", category_id: "x", bbox: [0, 0, 1, 1], score: 1 }],
      "d.json",
      data,
    );
    expect(stray.warnings[0]).toContain('(first: number 1 of category "x")');
  });

  test("200,000 categories, and a name of five megabytes", () => {
    const json = {
      ...instances(annotation(1)),
      categories: Array.from({ length: 200_000 }, (_, i) => ({ id: i + 1, name: `c${i}` })),
    };
    expect(evaluateCoco(parseCocoAnnotations(json, "x.json"), []).classes).toHaveLength(200_000);
    const named = { ...instances(annotation(1)), images: [{ id: 1, file_name: 5, extra: 1 }] };
    expect(() => parseCocoAnnotations({ ...named, images: [{ id: "x".repeat(5e6), file_name: 5 }] }, "x.json")).toThrow(
      /^.{0,200}$/,
    );
  });
});

const object = (name: string, more = "", box = "<xmin>5</xmin><ymin>5</ymin><xmax>30</xmax><ymax>30</ymax>") =>
  `<object><name>${name}</name>${more}<bndbox>${box}</bndbox></object>`;

async function vocOf(...files: (string | Buffer)[]): Promise<string> {
  const root = await mkdtemp(path.join(folder, "voc-"));
  await mkdir(path.join(root, "Annotations"));
  for (const [i, file] of files.entries()) await writeFile(path.join(root, "Annotations", `00000${i + 1}.xml`), file);
  return root;
}

describe("XML", () => {
  const text = (encoding: string, name: string) =>
    `<?xml version="1.0" encoding="${encoding}"?>\n<annotation>${object(name)}</annotation>`;
  const mark = (bytes: number[], rest: Buffer) => Buffer.concat([Buffer.from(bytes), rest]);

  test.each<[string, Buffer, string]>([
    ["ISO-8859-1", Buffer.from(text("ISO-8859-1", "k\u00e4se"), "latin1"), "k\u00e4se"],
    [
      "windows-1252",
      Buffer.concat([Buffer.from('<?xml version="1.0" encoding=\'windows-1252\'?><annotation><object><name>5 '), Buffer.from([0x80]), Buffer.from("</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax></bndbox></object></annotation>")]), // prettier-ignore
      "5 \u20ac",
    ],
    ["GBK", Buffer.concat([Buffer.from(text("GBK", "@").split("@")[0]!), Buffer.from([0xc3, 0xa8]), Buffer.from(text("GBK", "@").split("@")[1]!)]), "\u732b"], // prettier-ignore
    ["cp936", Buffer.concat([Buffer.from(text("cp936", "@").split("@")[0]!), Buffer.from([0xc3, 0xa8]), Buffer.from(text("cp936", "@").split("@")[1]!)]), "\u732b"], // prettier-ignore
    ["UTF-8 with a mark", mark([0xef, 0xbb, 0xbf], Buffer.from(text("UTF-8", "\u732b"))), "\u732b"],
    ["UTF-16 LE", mark([0xff, 0xfe], utf16(text("UTF-16", "k\u00e4se"))), "k\u00e4se"],
    ["UTF-16 BE", mark([0xfe, 0xff], utf16(text("UTF-16", "k\u00e4se"), true)), "k\u00e4se"],
    ["UTF-16 without a mark", utf16(text("UTF-16LE", "k\u00e4se")), "k\u00e4se"],
    ["UTF-8 that says UTF-16", Buffer.from(text("utf-16", "k\u00e4se")), "k\u00e4se"],
    ["US-ASCII", Buffer.from(text("us-ascii", "cat")), "cat"],
    ["no declaration", Buffer.from(`<annotation>${object("k\u00e4se")}</annotation>`), "k\u00e4se"],
  ])("in %s", async (_, bytes, name) => {
    const { categories, objects } = await readVocFolder(await vocOf(bytes));
    expect(objects).toHaveLength(1);
    expect(categories.find(({ id }) => id === objects[0]!.category)!.name).toBe(name);
  });

  test.each<[Buffer, RegExp]>([
    [Buffer.from(text("X-KLINGON", "cat")), /000001\.xml: declares the encoding "X-KLINGON", which is not known/],
    [
      Buffer.from(`<annotation>${object("k\u00e4se")}</annotation>`, "latin1"),
      /is not in UTF-8, and it declares no other/,
    ],
    [Buffer.from(text("UTF-8", "k\u00e4se"), "latin1"), /000001\.xml: is not in the UTF-8 that it declares/],
    [Buffer.from(text("us-ascii", "k\u00e4se")), /000001\.xml: is not in the us-ascii that it declares/],
  ])("is never misread: %#", async (bytes, line) => {
    await expect(readVocFolder(await vocOf(bytes))).rejects.toThrow(line);
  });
});

describe("PASCAL VOC", () => {
  test("all bad boxes of all files are counted, the first few are named with their files", async () => {
    const bad = (x: number) => object("cat", "", `<xmin>${x}</xmin><ymin>5</ymin><xmax>5</xmax><ymax>30</ymax>`);
    const root = await vocOf(
      `<annotation>${bad(30)}${bad(40)}${object("dog")}</annotation>`,
      "<annotation><object><name>cat</name><polygon><x1>1</x1></polygon></object></annotation>",
      "<annotation><object>",
      `<annotation>${bad(50)}</annotation>`,
    );
    await expect(readVocFolder(root)).rejects.toThrow(
      expect.objectContaining({
        message:
          `${root}/Annotations: 5 problems: ` +
          `000001.xml: the box of "cat" has a negative size: (30, 5) to (5, 30); ` +
          `000001.xml: the box of "cat" has a negative size: (40, 5) to (5, 30); ` +
          `000002.xml: "cat" has no box (<bndbox>), but a polygon: write the box round it; and 2 more`,
      }) as Error,
    );
  });

  test("difficult by the words of annotation tools", async () => {
    const words = ["1", "true", "True", "0", "false", "", "Unspecified"];
    const objects = words.map((word) => object("cat", `<difficult>${word}</difficult>`)).join("");
    const data = await readVocFolder(await vocOf(`<annotation>${objects}${object("cat")}</annotation>`));
    expect(data.objects.map(({ isDifficult }) => isDifficult)).toEqual([
      true,
      true,
      true,
      ...Array<boolean>(5).fill(false),
    ]);
    expect(data.warnings).toEqual([
      expect.stringMatching(
        /2 objects whose <difficult> is neither 0 nor 1: taken for not difficult \(first: 000001\.xml: ""\)$/,
      ),
    ]);
  });

  test("a size that is none is not needed", async () => {
    const size = "<size><width>Unspecified</width><height/></size>";
    const data = await readVocFolder(await vocOf(`<annotation>${size}${object("cat")}</annotation>`));
    expect(data.images[0]).not.toHaveProperty("width");
    expect(data.warnings).toEqual([expect.stringContaining("1 file whose <size> is no width and height")]);
  });
});
