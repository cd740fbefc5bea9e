/** A detector and a data set, from end to end. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { SCENE_CATEGORIES } from "../../runtime/data/sources/synthetic/scenes/scenes.js";
import { detectorMetadata, solidPng, wholeFiles } from "../support/detection-data.js";
import { METADATA_KEYS } from "../../compiler/metadata.js";
import { wholeImage, wholeImageWithMasks } from "../support/detector.js";
import { folderWith, listing, resnetc, type Ended } from "./resnetc.js";

const NAMES = ["rose", "leaf", "sky"];
const SIZES = [
  [80, 60],
  [60, 90],
  [90, 40],
] as const;

/** The images' own boxes, but the last is annotated at half of its width: an overlap of 0.5. */
const INSTANCES = {
  images: NAMES.map((name, i) => ({
    id: i + 1,
    file_name: `${name}.png`,
    width: SIZES[i]![0],
    height: SIZES[i]![1],
  })),
  categories: ["red", "green", "blue"].map((name, i) => ({ id: 11 * (i + 1), name })),
  annotations: SIZES.map(([width, height], i) => {
    const bbox = [0, 0, i === 2 ? width / 2 : width, height];
    return { id: i + 1, image_id: i + 1, category_id: 11 * (i + 1), bbox, area: bbox[2]! * height, iscrowd: 0 };
  }),
};

async function folder(instances: object = INSTANCES, images = ""): Promise<string> {
  const { "net.onnx": model, ...files } = await wholeFiles();
  const cwd = await folderWith({ "net.onnx": model!, "instances.json": JSON.stringify(instances) });
  await mkdir(path.join(cwd, images), { recursive: true });
  for (const [name, bytes] of Object.entries(files)) await writeFile(path.join(cwd, images, name), bytes);
  return cwd;
}
const evaluate = (cwd: string, ...args: string[]): Promise<Ended> =>
  resnetc(["eval", "net.onnx", "--data", "coco:instances.json", ...args, "--device", "cpu"], { cwd });

describe("resnetc eval MODEL --data, with boxes", () => {
  it("finds in the images and judges what it found", async () => {
    const cwd = await folder();
    const { code, stdout, stderr } = await evaluate(cwd, "--save", "dets.json", "--curves", "pr.svg");
    expect(code, stderr).toBe(0);
    expect(stdout).toContain("3 detections in 3 images");
    expect(stdout).toMatch(/^red +1 +100\.0 +100\.0/m);
    // At 0.50 alone: a tenth.
    expect(stdout).toMatch(/^blue +1 +10\.0 +100\.0 +0\.0/m);
    expect(stdout).toMatch(/^AP +70\.0 /m);
    expect(stderr).toBe("on cpu: asked for\n");
    expect(await readFile(path.join(cwd, "pr.svg"), "utf8")).toMatch(/^<svg /);

    const again = ["eval", "--detections", "dets.json", "--data", "instances.json"];
    expect((await resnetc(again, { cwd })).stdout).toBe(stdout);
  });

  it("judges masks too, where the model gives them and the annotations have them", async () => {
    const annotations = INSTANCES.annotations.map((each) => {
      const [, , right, below] = each.bbox as [number, number, number, number];
      return { ...each, segmentation: [[0, 0, right, 0, right, below, 0, below]] };
    });
    const cwd = await folder({ ...INSTANCES, annotations });
    const grid = Array.from({ length: 28 }, () => new Array<number>(28).fill(1));
    const metadata = { ...detectorMetadata(), [METADATA_KEYS.masks]: "grid" };
    await writeFile(path.join(cwd, "net.onnx"), wholeImageWithMasks(grid, { metadata }));
    const { code, stdout, stderr } = await evaluate(cwd, "--save", "dets.json");
    expect(code, stderr).toBe(0);
    // Of the whole image but its corners, so that the one annotated at half of its width is overlapped by less than a half.
    const [, masks] = stdout.split("\nMasks\n");
    expect(masks).toMatch(/^red +1 +100\.0 +100\.0/m);
    expect(masks).toMatch(/^blue +1 +0\.0 +0\.0/m);
    const again = ["eval", "--detections", "dets.json", "--data", "instances.json"];
    expect((await resnetc(again, { cwd })).stdout).toBe(stdout);

    const bare = { ...INSTANCES, annotations: annotations.map(({ segmentation: _, ...each }) => each) };
    await writeFile(path.join(cwd, "instances.json"), JSON.stringify(bare));
    const boxes = await evaluate(cwd);
    expect(boxes.stdout).not.toContain("Masks");
    expect(boxes.stderr).toContain("masks can't be judged: 3 of 3 annotations have none; the numbers are of boxes");
  });

  it("finds the images in the folder images, or where it is told", async () => {
    for (const [place, args] of [
      ["images", []],
      ["elsewhere", ["--images", "elsewhere"]],
    ] as const) {
      const { stdout, stderr } = await evaluate(await folder(INSTANCES, place), ...args, "--json", "--batch", "3");
      expect(JSON.parse(stdout), stderr).toMatchObject({
        schema: 1,
        metric: "coco",
        AP: expect.closeTo(0.7, 9) as number,
      });
    }
  });

  it("reads PASCAL VOC's folder", async () => {
    const cwd = await folder();
    for (const place of ["VOC/Annotations", "VOC/ImageSets/Main", "VOC/JPEGImages"]) {
      await mkdir(path.join(cwd, place), { recursive: true });
    }
    for (const [i, name] of NAMES.entries()) {
      const [width, height] = SIZES[i]!;
      const object = `<object><name>${["red", "green", "blue"][i]!}</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>${width}</xmax><ymax>${height}</ymax></bndbox></object>`;
      const xml = `<annotation><filename>${name}.png</filename>${object}</annotation>`;
      await writeFile(path.join(cwd, `VOC/Annotations/${name}.xml`), xml);
      await writeFile(path.join(cwd, `VOC/JPEGImages/${name}.png`), await readFile(path.join(cwd, `${name}.png`)));
    }
    await writeFile(path.join(cwd, "VOC/ImageSets/Main/test.txt"), "rose\nleaf\n");
    const args = ["--data", "voc:VOC", "--metric", "voc07", "--device", "cpu"];
    const { code, stdout, stderr } = await resnetc(["eval", "net.onnx", ...args], { cwd });
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/^red +1 +100\.0$/m);
    expect(stdout).toMatch(/^mean +100\.0$/m);
    // A class of the data set, of which this part has no object.
    expect(stdout).toMatch(/^blue +0 +-$/m);
    const set = await resnetc(["eval", "net.onnx", ...args, "--set", "test"], { cwd });
    expect(set.stdout).toMatch(/^VOC, 2 detections in 2 images$/m);
    expect(set.stdout).not.toContain("blue");
    const none = await resnetc(["eval", "net.onnx", ...args, "--split", "train"], { cwd });
    expect(none).toMatchObject({ code: 1, stderr: expect.stringContaining("VOC: has no train images") as string });
  });

  it("draws scenes, the same each time", async () => {
    const labels = SCENE_CATEGORIES.map(({ name }) => name);
    const cwd = await folderWith({ "net.onnx": wholeImage({ metadata: detectorMetadata(labels) }) });
    const args = ["eval", "net.onnx", "--data", "scenes:5", "--device", "cpu"];
    const first = await resnetc(args, { cwd });
    expect(first.code, first.stderr).toBe(0);
    expect(first.stdout).toContain("scenes, 5 detections in 5 images of test");
    expect((await resnetc(args, { cwd })).stdout).toBe(first.stdout);
    expect(await listing(cwd)).toEqual(["net.onnx"]);
  });

  it("leaves out images that can't be read, and says so", async () => {
    const cwd = await folder();
    await writeFile(path.join(cwd, "sky.png"), (await readFile(path.join(cwd, "sky.png"))).subarray(0, 60));
    const { code, stdout, stderr } = await evaluate(cwd);
    expect(stderr).toMatch(/warning: .*sky\.png: (damaged|not an image)/);
    expect(stdout).toContain("2 detections in 2 images");
    expect(stdout).toMatch(/^AP +100\.0 /m);
    expect(code).toBe(0);

    const strict = await evaluate(cwd, "--strict");
    expect(strict.stderr).toMatch(/error: .*sky\.png: /);
    expect(strict.stdout).toBe("");
    expect(strict.code).toBe(1);
  });

  it("warns of annotations that are on the stored pixels, as far as that can be known", async () => {
    const lying = (width: number, height: number, orientation: number) =>
      sharp({ create: { width, height, channels: 3, background: { r: 255, g: 0, b: 0 } } })
        .jpeg()
        .withMetadata({ orientation })
        .toBuffer();
    // Stored 80x60, upright 60x80.
    const images: [name: string, bytes: Buffer, size: object, bbox: number[]][] = [
      ["exchanged.jpg", await lying(80, 60, 6), { width: 80, height: 60 }, [0, 0, 80, 60]],
      ["upright.jpg", await lying(80, 60, 6), { width: 60, height: 80 }, [0, 0, 60, 80]],
      ["out.jpg", await lying(80, 60, 8), {}, [0, 0, 80, 60]],
      ["square.jpg", await lying(60, 60, 6), { width: 60, height: 60 }, [0, 0, 30, 60]],
      ["down.jpg", await lying(80, 60, 3), { width: 80, height: 60 }, [0, 0, 30, 60]],
      ["plain.jpg", await lying(80, 60, 1), { width: 80, height: 60 }, [0, 0, 80, 60]],
    ];
    const cwd = await folder({
      ...INSTANCES,
      images: images.map(([file_name, , size], i) => ({ id: i + 1, file_name, ...size })),
      annotations: images.map(([, , , bbox], i) => ({
        id: i + 1,
        image_id: i + 1,
        category_id: 11,
        bbox,
        area: 9,
        iscrowd: 0,
      })),
    });
    for (const [name, bytes] of images) await writeFile(path.join(cwd, name), bytes);
    const { code, stdout, stderr } = await evaluate(cwd, "--json");
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(
      /1 image of another size than annotated, width and height exchanged: .*exchanged\.jpg is 60x80/,
    );
    expect(stderr).toMatch(/1 image with boxes that reach out of the upright image .*\(first: .*out\.jpg/);
    expect(stderr).toMatch(
      /2 images turned by EXIF, whose boxes are taken to be on the upright image.*square\.jpg, orientation 6/,
    );
    expect((JSON.parse(stdout) as { warnings: string[] }).warnings).toHaveLength(3);
  });

  it("finds images by other machines' names, and says so", async () => {
    const renamed = INSTANCES.images.map((image) => ({
      ...image,
      file_name: `C:\\data\\${image.file_name.toUpperCase()}`,
    }));
    const cwd = await folder({ ...INSTANCES, images: renamed }, "images");
    const { code, stdout, stderr } = await evaluate(cwd, "--json");
    expect(code, stderr).toBe(0);
    expect(stderr).toContain("warning: images: 3 images found under another name than annotated (first:");
    const json = JSON.parse(stdout) as { AP: number; warnings: string[] };
    expect(json.AP).toBeCloseTo(0.7, 9);
    expect(json.warnings).toEqual([expect.stringContaining("3 images found under another name")]);
  });

  it("takes classes by position where that is asked for", async () => {
    const categories = INSTANCES.categories.map(({ id }) => ({ id, name: `class ${id}` }));
    const { code, stdout, stderr } = await evaluate(
      await folder({ ...INSTANCES, categories }),
      "--classes-by",
      "position",
    );
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/^AP +70\.0 /m);
    expect(stderr).toContain(
      "by position, as asked; 3 have other names (red is class 11, green is class 22, blue is class 33)",
    );
  });

  it("warns of images of another size than annotated, and of categories on one side only", async () => {
    const images = INSTANCES.images.map((image) => ({ ...image, width: image.width * 2 }));
    const categories = [...INSTANCES.categories.slice(0, 2), { id: 33, name: "violet" }];
    const { code, stderr } = await evaluate(await folder({ ...INSTANCES, images, categories }));
    expect(stderr).toContain("the annotations: 3 images of another size than annotated (first:");
    expect(stderr).toMatch(/rose\.png is 80x60, annotated 160x60\)/);
    expect(stderr).toContain("left out what is of classes that are not in the annotations (blue)");
    expect(stderr).toContain("has no class for categories of the annotations (violet)");
    expect(code).toBe(0);
  });

  const annotation = (change: object) => ({
    ...INSTANCES,
    annotations: [{ ...INSTANCES.annotations[0]!, ...change }],
  });
  it.each<[string, object, string[], string, number]>([
    ["a negative size", annotation({ bbox: [0, 0, -5, 5] }), [], 'annotation 1: "bbox" has a negative size: -5 x 5', 1],
    [
      "missing images",
      {
        ...INSTANCES,
        images: [...INSTANCES.images, { id: 4, file_name: "gone.png" }, { id: 5, file_name: "lost.png" }],
      },
      [],
      "gone.png is not there, 2 in all",
      1,
    ],
    [
      "a name that leads elsewhere",
      { ...INSTANCES, images: [{ id: 1, file_name: "../rose.png" }] },
      [],
      'image 1: its file_name "../rose.png" leads out of .',
      1,
    ],
    [
      "other categories",
      { ...INSTANCES, categories: [{ id: 1, name: "cat" }] },
      [],
      "net.onnx: none of its classes (red, green, blue) is a category of the annotations (cat)",
      1,
    ],
    ["no folder of images", INSTANCES, ["--images", "none"], "none: rose.png is not there, 3 in all", 1],
    ["crops", INSTANCES, ["--crops", "10"], "--crops is for classifiers, and instances.json has objects with boxes", 2],
    ["the former option", INSTANCES, ["--annotations", "x"], "--annotations is --data now: --data coco:", 2],
    ["a list of VOC's", INSTANCES, ["--set", "val"], "coco:instances.json: has no lists of images: set is of a", 1],
    ["a part that is not there", INSTANCES, ["--split", "train"], "instances.json: has no train images", 1],
  ])("%s: one clear line", async (_, instances, args, message, exitCode) => {
    const { code, stdout, stderr } = await evaluate(await folder(instances), ...args);
    expect(stderr).toContain(message);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(stdout).toBe("");
    expect(code).toBe(exitCode);
  });

  it("an annotation of an unknown category is left out, with a warning", async () => {
    const { code, stderr } = await evaluate(await folder(annotation({ category_id: 99 })));
    expect(stderr).toContain("left out 1 annotation of categories that are not listed");
    expect(code).toBe(0);
  });

  it.each([
    [["eval", "net.onnx", "--data", "scenes:0"], "scenes: train must have from 1 to 10000000 images, not 0"],
    [["eval", "net.onnx", "--data", "scenes"], "none of its classes (red, green, blue) is a category"],
  ])("%j: one clear line", async (args, message) => {
    const { code, stderr } = await resnetc([...args, "--device", "cpu"], { cwd: await folder() });
    expect(stderr).toContain(message);
    expect(code).toBe(1);
  });
});

it("a model without labels can't be judged by names", async () => {
  const { "resnetc.labels": _, ...metadata } = detectorMetadata();
  const model = wholeImage({ metadata });
  const cwd = await folderWith({
    "net.onnx": model,
    "a.png": await solidPng(20, 20, [255, 0, 0]),
    "instances.json": JSON.stringify({ ...INSTANCES, images: [{ id: 1, file_name: "a.png" }], annotations: [] }),
  });
  const { code, stderr } = await evaluate(cwd);
  expect(stderr).toContain("net.onnx: its classes have no names by which to find them among those of the annotations");
  expect(code).toBe(1);
});
