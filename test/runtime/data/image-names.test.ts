/** Names of images as other people's files write them: where the images are, and which is meant. */
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseCocoDetections } from "../../../runtime/data/sources/coco/detections.js";
import { parseCocoAnnotations } from "../../../runtime/data/sources/coco/annotations.js";
import { locateImages, imageFolder } from "../../../runtime/data/sources/annotated/index.js";
import { readVocFolder } from "../../../runtime/data/sources/voc/annotations.js";
import type { AnnotatedImage } from "../../../runtime/data/objects.js";

let top: string;
let made = 0;
beforeAll(async () => {
  top = await mkdtemp(path.join(tmpdir(), "resnetc-names-"));
});
afterAll(() => rm(top, { recursive: true, force: true }));

/** A new folder with empty files. */
async function folderOf(...files: string[]): Promise<string> {
  const folder = path.join(top, `f${made++}`);
  await mkdir(folder);
  for (const file of files) {
    await mkdir(path.join(folder, path.dirname(file)), { recursive: true });
    await writeFile(path.join(folder, file), "");
  }
  return folder;
}

async function locate(folder: string, ...images: (string | Omit<AnnotatedImage, "id">)[]) {
  const all = images.map((each, i) => (typeof each === "string" ? { id: i + 1, file: each } : { id: i + 1, ...each }));
  const { files, warnings } = await locateImages(all, folder);
  return { found: all.map(({ id }) => path.relative(folder, files.get(id)!)), warnings };
}

describe("images are found by the names that COCO's files give them", () => {
  test.each<[name: string, file: string]>([
    ["val2017\\a.jpg", "a.jpg"],
    ["val2017/a.jpg", "a.jpg"],
    [".\\sub\\a.jpg", "sub/a.jpg"],
    ["/home/x/images/a.jpg", "a.jpg"],
    ["C:\\Users\\x\\sub\\a.jpg", "sub/a.jpg"],
    ["\\\\server\\share\\a.jpg", "a.jpg"],
    ["file:///C:/x/a.jpg", "a.jpg"],
    ["http://host.invalid/val2017/a.jpg", "a.jpg"],
    ["https://host.invalid/val2017/a%20b.jpg?size=2#x", "a b.jpg"],
    ["/data/local-files/?d=images/a.jpg", "a.jpg"],
    ["a.jpg", "train/a.jpg"],
    ["A.JPG", "a.jpg"],
    ["a.jpg", "A.Jpg"],
    ["caf\u00e9.jpg", "cafe\u0301.jpg"],
    ["cafe\u0301.jpg", "caf\u00e9.jpg"],
    ["CAFE\u0301.jpg", "caf\u00e9.jpg"],
    ["a%20b.jpg", "a b.jpg"],
    ["sub%2Fa.jpg", "sub/a.jpg"],
    ["a", "a.png"],
    ["a.b.c", "a.b.c.jpg"],
    ["a.jpg", "a.png"],
    ["a.JPEG", "sub/a.jpg"],
  ])("%s is %s, and that is told", async (name, file) => {
    const folder = await folderOf(file, "other.jpg");
    const { found, warnings } = await locate(folder, name);
    expect(found).toEqual([file]);
    expect(warnings).toEqual([
      `${folder}: 1 image found under another name than annotated (first: "${name}" of image 1 is ${file})`,
    ]);
  });

  test("as they stand, nothing is told; a backslash or a percent sign may be a part of the name", async () => {
    const names = ["a.jpg", "sub/a.jpg", "b\\c.jpg", "d%20e.jpg", "f#g\u00e4.jpg"];
    const folder = await folderOf(...names);
    expect(await locate(folder, ...names, "./a.jpg", path.join(folder, "a.jpg"))).toEqual({
      found: [...names, "a.jpg", "a.jpg"],
      warnings: [],
    });
  });

  test("the nearest of several folders is meant", async () => {
    const folder = await folderOf("train/a.jpg", "val/a.jpg");
    expect((await locate(folder, "C:\\val\\a.jpg", "C:\\train\\a.jpg")).found).toEqual(["val/a.jpg", "train/a.jpg"]);
  });

  test.each<[string, string[], string[], string]>([
    ["two folders", ["a/1.jpg", "b/1.jpg"], ["1.jpg"], '"1.jpg" of image 1 may be a/1.jpg or b/1.jpg'],
    ["two cases", ["A.jpg", "a.jpg"], ["A.JPG"], '"A.JPG" of image 1 may be A.jpg or a.jpg'],
    ["two endings", ["a.jpg", "a.png"], ["a"], '"a" of image 1 may be a.jpg or a.png'],
    ["one image twice", ["a.jpg"], ["a.jpg", "A.jpg"], '"A.jpg" of image 2 would be a.jpg, which is image 1'],
    [
      "another folder",
      ["a/1.jpg"],
      ["b/1.jpg"],
      "b/1.jpg is not there; the folder and those below hold 1 image, such as",
    ],
    ["none", [], ["x.jpg", "y.jpg"], "x.jpg is not there, 2 in all; no images are in this folder or those below"],
    [
      "a folder",
      ["a.jpg/1.jpg"],
      ["a.jpg"],
      "a.jpg is a folder, not an image; the folder and those below hold 1 image",
    ],
    ["no name", ["a.jpg"], [""], "image 1: has no file_name"],
    ["a folder above", ["a.jpg"], ["../a.jpg"], 'image 1: its file_name "../a.jpg" leads out of'],
    ["a folder above, by \\", ["a.jpg"], ["x\\..\\..\\a.jpg"], "leads out of"],
  ])("%s: refused", async (_, files, names, message) => {
    const folder = await folderOf(...files);
    await expect(locate(folder, ...names)).rejects.toThrow(message);
  });

  test("a name of five megabytes is cut", async () => {
    const folder = await folderOf("a.jpg");
    const failure = await locate(folder, `${"x".repeat(5_000_000)}.jpg`).catch((error: Error) => error.message);
    expect((failure as string).length).toBeLessThan(400);
  });

  test("thousands of images are found at once", async () => {
    const names = Array.from({ length: 3000 }, (_, i) => `d${i % 50}/${i}.jpg`);
    const folder = await folderOf(...names);
    const { found, warnings } = await locate(folder, ...names.map((name) => name.replace("/", "\\")));
    expect(found).toEqual(names);
    expect(warnings[0]).toContain("3000 images found under another name");
  });
});

const xml = (filename: string | undefined, box = [5, 5, 30, 30]) =>
  `<annotation>${filename === undefined ? "" : `<filename>${filename}</filename>`}<object><name>cat</name><bndbox>${["xmin", "ymin", "xmax", "ymax"].map((key, i) => `<${key}>${box[i]}</${key}>`).join("")}</bndbox></object></annotation>`;

async function vocOf(filename: string | undefined, ...images: string[]) {
  const folder = await folderOf(...images.map((image) => `JPEGImages/${image}`));
  await mkdir(path.join(folder, "Annotations"), { recursive: true });
  await mkdir(path.join(folder, "JPEGImages"), { recursive: true });
  await writeFile(path.join(folder, "Annotations", "000001.xml"), xml(filename));
  return folder;
}

async function imageOf(folder: string) {
  const { images } = await readVocFolder(folder);
  const inside = await imageFolder(folder);
  const { files, warnings } = await locateImages(images, inside);
  return { file: path.relative(inside, files.get(1)!), warnings };
}

describe("images are found beside PASCAL VOC's files", () => {
  test.each<[filename: string | undefined, image: string]>([
    ["000001", "000001.jpg"],
    ["C:\\imgs\\000001.jpg", "000001.jpg"],
    ["IMG_1.png", "000001.jpg"],
    ["my.photo.v1", "000001.jpg"],
    ["000001.png", "000001.jpg"],
    ["000001.JPG", "000001.jpg"],
    ["000001.jpg", "000001.JPG"],
    ["000001.jpg", "000001.jpeg"],
    ["000001.jpg", "000001.png"],
    ["/x/000001.png", "000001.png"],
    ["../x/000001.jpg", "000001.jpg"],
    ["IMG_1.png", "IMG_1.png"],
    ["", "000001.png"],
    [undefined, "000001.tif"],
  ])("%s, and %s is there", async (filename, image) => {
    const { file, warnings } = await imageOf(await vocOf(filename, image, "000002.jpg"));
    expect(file).toBe(image);
    const isAsNamed = filename?.split(/[/\\]/).at(-1) === image;
    expect(warnings.length).toBe(isAsNamed ? 0 : 1);
    if (!isAsNamed)
      expect(warnings[0]).toMatch(/1 image found under another name than annotated \(first: .*000001\.xml/);
  });

  test.each<[filename: string | undefined, images: string[], message: string]>([
    [
      "IMG_1.jpg",
      ["IMG_1.jpg", "000001.jpg"],
      "000001.xml names IMG_1.jpg, but is called as 000001.jpg, and both are in",
    ],
    [undefined, ["000001.jpg", "000001.png"], '"000001" of 000001.xml may be 000001.jpg or 000001.png'],
    ["000001.jpg", ["000002.jpg"], "000001.jpg (000001.xml) is not there; the folder and those below hold 1 image"],
  ])("%s with %j: refused", async (filename, images, message) => {
    await expect(imageOf(await vocOf(filename, ...images))).rejects.toThrow(message);
  });

  test("what is named decides between two endings", async () => {
    expect((await imageOf(await vocOf("000001.png", "000001.jpg", "000001.png"))).file).toBe("000001.png");
  });

  test("the folder of annotations, images in a folder of another name, and images beside the XML files", async () => {
    const voc = await vocOf("000001.jpg", "000001.jpg");
    expect((await imageOf(path.join(voc, "Annotations"))).file).toBe("000001.jpg");
    const other = await folderOf("images/000001.jpg");
    await writeFile(path.join(other, "000001.xml"), xml("000001.jpg"));
    expect((await imageOf(other)).file).toBe("000001.jpg");
    const flat = await folderOf("000001.jpg");
    await writeFile(path.join(flat, "000001.xml"), xml("000001.jpg"));
    expect((await imageOf(flat)).file).toBe("000001.jpg");
  });

  test("files of macOS and hidden ones are passed over", async () => {
    const folder = await vocOf("000001.jpg", "000001.jpg", "._000001.jpg");
    for (const name of ["._000001.xml", ".DS_Store", ".hidden.xml"]) {
      await writeFile(path.join(folder, "Annotations", name), "\0\u0005\u0016\u0007");
    }
    expect((await imageOf(folder)).file).toBe("000001.jpg");
  });
});

test("links in the images' folder are followed", async () => {
  const [folder, store] = [await folderOf(), await folderOf("a.jpg")];
  await symlink(path.join(store, "a.jpg"), path.join(folder, "a.jpg"));
  expect((await locate(folder, "a.jpg")).found).toEqual(["a.jpg"]);
});

describe("detections name images", () => {
  const box = [5, 5, 20, 20];
  const data = (ids: readonly (number | string)[], files: readonly string[]) =>
    parseCocoAnnotations(
      {
        images: ids.map((id, i) => ({ id, file_name: files[i] })),
        categories: [{ id: 1, name: "cat" }],
        annotations: ids.map((id, i) => ({
          id: i + 1,
          image_id: id,
          category_id: 1,
          bbox: box,
          area: 400,
          iscrowd: 0,
        })),
      },
      "x.json",
    );
  const detect = (of: ReturnType<typeof data>, ...ids: unknown[]) =>
    parseCocoDetections(
      ids.map((image_id) => ({ image_id, category_id: 1, bbox: box, score: 0.9 })),
      "d.json",
      of,
    ).detections.map(({ image }) => image);

  test("by any part of their path, with slashes of either kind", () => {
    const of = data([7, 8], ["val2017\\a.jpg", "b/c\u00e9.jpg"]);
    expect(detect(of, "val2017\\a.jpg", "val2017/a.jpg", "a.jpg", "a", "/x/val2017/a.jpg", "ce\u0301.jpg")).toEqual([
      7, 7, 7, 7, 7, 8,
    ]);
  });

  test("a name of several is refused, the whole one is not", () => {
    const of = data([1, 2], ["a/1.jpg", "b/1.jpg"]);
    expect(detect(of, "b/1.jpg", "a\\1.jpg", "a/1", "/x/b/1.jpg")).toEqual([2, 1, 1, 2]);
    for (const name of ["1.jpg", "1"]) {
      expect(() => detect(of, name)).toThrow(
        `d.json: detection number 1: "image_id" "${name}" is the name of 2 images: "a/1.jpg" and "b/1.jpg"`,
      );
    }
    expect(() => detect(of, "c/1.jpg")).toThrow('the annotations list no image "c/1.jpg"');
  });

  test("ids that are texts throughout are taken, in pycocotools' order", () => {
    const of = data(["b", "a\u{1f600}", "a\uffff", "000123"], ["1.jpg", "2.jpg", "3.jpg", "4.jpg"]);
    expect(of.images.map(({ id, textId }) => [id, textId])).toEqual([
      [4, "b"],
      [3, "a\u{1f600}"],
      [2, "a\uffff"],
      [1, "000123"],
    ]);
    expect(of.objects.map(({ image }) => image)).toEqual([4, 3, 2, 1]);
    expect(detect(of, "b", "000123", "2.jpg")).toEqual([4, 1, 3]);
    expect(() => detect(of, 123)).toThrow('"image_id" must be a text, as the ids are, not 123');
    expect(() => data(["1", 2], ["1.jpg", "2.jpg"])).toThrow(
      'x.json: 2 problems: image number 1: "id" must be a whole number, as others are, not "1"',
    );
  });

  test("a number in quotes is told for what it is", () => {
    expect(() => detect(data([42], ["x.jpg"]), "42")).toThrow(
      'd.json: detection number 1: the annotations list no image "42", but an image 42: write the number without quotes',
    );
  });
});
