/** Objects in images: listed, drawn, and as COCO's files. */
import { fromVersion1 } from "../../compiler/metadata-version-1.js";
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { drawnNames } from "../../cli/detection-output.js";
import { SMALL_DECLARED, SMALL_PREPROCESS, detectorMetadata, solidPng, wholeFiles } from "../support/detection-data.js";
import { areaOf } from "../../runtime/data/masks/mask.js";
import { readMask, type MaskText } from "../../runtime/data/masks/text.js";
import type { Detected } from "../../runtime/detection/detector.js";
import { wholeImage } from "../support/detector.js";
import { tinyNetwork } from "../support/onnx.js";
import { folderWith, listing, resnetc, type Ended } from "./resnetc.js";

const PHOTO = path.join(import.meta.dirname, "../golden/images/photo.jpg");

interface Result {
  readonly width: number;
  readonly height: number;
  readonly objects: readonly {
    readonly label: string;
    readonly score: number;
    readonly box: readonly [number, number, number, number];
  }[];
}

const INSTANCES = JSON.stringify({
  images: [
    { id: 7, file_name: "val/rose.png", width: 80, height: 60 },
    { id: 9, file_name: "val/leaf.png", width: 60, height: 90 },
  ],
  categories: [
    { id: 40, name: "green" },
    { id: 50, name: "red" },
    { id: 60, name: "dog" },
  ],
  annotations: [],
});

/** Proposals alone, of weights by chance: what it finds means nothing, but boxes it gives. */
const TINY = `import { proposal_head } from "std/detectors"
import { detect, propose } from "std/detection"
import { detectron2 } from "std/dialects"
import { torchvision_detection } from "std/preprocess"

detector Tiny {
  input image 3xHxW
  preprocess torchvision_detection(shorter: 64, longest: 128)
  dialect detectron2
  labels ["object"]
  conv 7x7, 8, stride: 4, pad: 3   relu
  features = max_pool 4x4, stride: 4
  rpn = proposal_head(16, 6)
  regions = propose(rpn.objectness, rpn.deltas, [[8, 16]], [0.5, 1, 2], top: 100, nms: 0.7, keep: 20)
  detect(regions, regions.scores, nms: 0.7, keep: 20, background: false)
}
`;

/** The same with a mask for each. */
const TINY_MASKS = TINY.replace("{ proposal_head }", "{ mask_head, proposal_head }")
  .replace("{ detect, propose }", "{ detect, found_regions, propose, with_masks }")
  .replace(/detect\(.*/, (detect) => {
    const masks = "masks = mask_head([features], 1, channels: 8)";
    return `found = ${detect}\n  found_regions(found)\n  ${masks}\n  with_masks(found, masks)`;
  });

async function folder(more: Readonly<Record<string, string | Uint8Array>> = {}): Promise<string> {
  return folderWith({ ...(await wholeFiles()), ...more });
}
const detect = (cwd: string, ...args: string[]): Promise<Ended> =>
  resnetc(["detect", "net.onnx", ...args, "--device", "cpu"], { cwd });
const detections = async (cwd: string): Promise<unknown> =>
  JSON.parse(await readFile(path.join(cwd, "out/detections.json"), "utf8")) as unknown;

describe("resnetc detect", () => {
  it("lists what is sure enough", async () => {
    const cwd = await folder();
    const { code, stdout, stderr } = await detect(cwd, "rose.png", "sky.png", "leaf.png");
    expect(stdout).toBe(
      "rose.png\n  100.0 %  red  80 x 60 at 0, 0\nsky.png\n  nothing\nleaf.png\n  80.0 %  green  60 x 90 at 0, 0\n",
    );
    expect(stderr).toMatch(/^on cpu: asked for\n3 images in \d+\.\d s, .*\n$/);
    expect(code).toBe(0);
    expect(await listing(cwd)).toEqual(["leaf.png", "net.onnx", "rose.png", "sky.png"]);
  });

  it("draws the images of a folder and writes COCO's list", async () => {
    const cwd = await folder();
    const { code, stdout, stderr } = await detect(cwd, ".", "--score", "0.3", "-o", "out", "--batch", "2");
    expect(code, stderr).toBe(0);
    expect(stdout).toBe("3 objects in 3 images: out\n");
    expect(stderr).toContain("category_id is the label's place + 1");
    expect(await listing(path.join(cwd, "out"))).toEqual(["detections.json", "leaf.png", "rose.png", "sky.png"]);
    expect(await detections(cwd)).toEqual([
      { image_id: "leaf.png", category_id: 2, bbox: [0, 0, 60, 90], score: expect.closeTo(0.8, 5) as number },
      { image_id: "rose.png", category_id: 1, bbox: [0, 0, 80, 60], score: 1 },
      { image_id: "sky.png", category_id: 3, bbox: [0, 0, 90, 40], score: expect.closeTo(0.4, 5) as number },
    ]);
    // Enlarged four times, with a box: the middle is the image's, the edge is not.
    const drawn = await sharp(path.join(cwd, "out/sky.png")).raw().toBuffer({ resolveWithObject: true });
    expect([drawn.info.width, drawn.info.height]).toEqual([360, 160]);
    const pixel = (x: number, y: number) => [...drawn.data.subarray((y * 360 + x) * 3, (y * 360 + x) * 3 + 3)];
    expect(pixel(200, 100)).toEqual([0, 0, 102]);
    expect(pixel(2, 100)).not.toEqual([0, 0, 102]);
  });

  it("takes the ids of a data set, by name", async () => {
    const cwd = await folder({ "instances.json": INSTANCES });
    const args = ["rose.png", "leaf.png", "sky.png", "-o", "out", "--score", "0", "--categories", "instances.json"];
    const { code, stderr } = await detect(cwd, ...args);
    expect(code, stderr).toBe(0);
    expect(stderr).toContain("left out what is of classes that are not in instances.json (blue)");
    expect(stderr).toContain("has no class for categories of instances.json (dog)");
    expect(await detections(cwd)).toMatchObject([
      { image_id: 7, category_id: 50 },
      { image_id: 9, category_id: 40 },
    ]);
  });

  it("takes an image from standard input, and gives programs all numbers", async () => {
    const cwd = await folder();
    const input = await readFile(path.join(cwd, "leaf.png"));
    const args = ["detect", "net.onnx", "-", "--json", "--device", "cpu", "-o", "out"];
    const { code, stdout, stderr } = await resnetc(args, { cwd, input });
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      schema: 1,
      network: "Whole",
      device: "cpu",
      preprocess: SMALL_PREPROCESS,
      results: [
        {
          image: "stdin",
          width: 60,
          height: 90,
          drawn: path.join("out", "stdin.png"),
          objects: [{ label: "green", index: 1, box: [0, 0, 60, 90] }],
        },
      ],
    });
    expect(await listing(path.join(cwd, "out"))).toEqual(["detections.json", "stdin.png"]);
  });

  it("gives masks where the detector has them: drawn, in COCO's list, and for programs", async () => {
    const cwd = await folder({ "tiny.resnet": TINY_MASKS });
    await copyFile(PHOTO, path.join(cwd, "photo.jpg"));
    const args = ["detect", "tiny.resnet", "photo.jpg", "--score", "0", "--json", "-o", "out", "--device", "cpu"];
    const { code, stdout, stderr } = await resnetc(args, { cwd });
    expect(code, stderr).toBe(0);
    const [{ objects }] = (JSON.parse(stdout) as { results: [Extract<Detected, { objects: object }>] }).results;
    expect(objects.length).toBeGreaterThan(3);
    const written = (await detections(cwd)) as { bbox: number[]; segmentation: MaskText }[];
    objects.forEach(({ box, mask }, row) => {
      expect(written[row]).toMatchObject({ bbox: box, segmentation: mask });
      const { width, height } = readMask(mask!);
      expect([width, height]).toEqual([203, 151]);
    });
    expect(objects.some(({ mask }) => areaOf(readMask(mask!)) > 0)).toBe(true);
    const drawn = await sharp(path.join(cwd, "out/photo.jpg")).raw().toBuffer();
    const bare = await sharp(PHOTO).resize(406, 302, { kernel: "nearest" }).raw().toBuffer();
    // More than lines and letters change.
    const changed = drawn.filter((value, i) => Math.abs(value - bare[i]!) > 40).length / drawn.length;
    expect(changed).toBeGreaterThan(0.1);
  });

  it("compiles a target first, to the same result as its file", async () => {
    const cwd = await folder({ "tiny.resnet": TINY });
    await copyFile(PHOTO, path.join(cwd, "photo.jpg"));
    const compiled = await resnetc(["compile", "tiny.resnet", "-o", "tiny.onnx"], { cwd });
    expect(compiled.code, compiled.stderr).toBe(0);
    const results = async (model: string): Promise<readonly Result[]> => {
      const args = ["detect", model, "photo.jpg", "--score", "0", "--json", "--device", "cpu"];
      const { code, stdout, stderr } = await resnetc(args, { cwd });
      expect(code, stderr).toBe(0);
      return (JSON.parse(stdout) as { results: readonly Result[] }).results;
    };
    const fromFile = await results("tiny.onnx");
    expect(await results("tiny.resnet")).toEqual(fromFile);
    const { width, height, objects } = fromFile[0]!;
    expect([width, height]).toEqual([203, 151]);
    expect(objects.length).toBeGreaterThan(3);
    const scores = objects.map(({ score }) => score);
    expect(scores).toEqual(scores.toSorted((a, b) => b - a));
    for (const { label, box } of objects) {
      expect(label).toBe("object");
      const [x, y, w, h] = box;
      expect(Math.min(x, y, w, h)).toBeGreaterThanOrEqual(0);
      expect(x + w).toBeLessThan(width + 1e-3);
      expect(y + h).toBeLessThan(height + 1e-3);
    }
  });

  it("names the classes and prepares images as it is told", async () => {
    const cwd = await folder({ "names.txt": "x\ny\nz\n" });
    const { stdout } = await detect(cwd, "rose.png", "--labels", "names.txt");
    expect(stdout).toContain("100.0 %  x  ");
  });

  it("tells what it can't read, goes on with the others, and exits 1", async () => {
    const cwd = await folder({ "bad.jpg": "no image", "empty.png": "" });
    const { code, stdout, stderr } = await detect(cwd, "bad.jpg", "none.jpg", "empty.png", "rose.png", "-o", "out");
    expect(code).toBe(1);
    expect(stdout).toBe("1 object in 1 image: out\n");
    expect(stderr).toMatch(/^error: bad\.jpg: /m);
    expect(stderr).toMatch(/^error: none\.jpg: no such file$/m);
    expect(stderr).toMatch(/^error: empty\.png: empty, not an image$/m);
    expect(stderr).toContain("3 images of 4 could not be looked at");
    expect(await listing(path.join(cwd, "out"))).toEqual(["detections.json", "rose.png"]);
  });

  it("looks at an image that is too long to be drawn, and says so", async () => {
    const cwd = await folder({ "thread.png": await solidPng(40_000, 2, [255, 0, 0]) });
    const { code, stderr } = await detect(cwd, "thread.png", "rose.png", "-o", "out");
    expect(stderr).toMatch(/warning: thread\.png: boxes can't be drawn on an image of 40000 x 2: 32767 is the most/);
    expect(code).toBe(1);
    expect(await listing(path.join(cwd, "out"))).toEqual(["detections.json", "rose.png"]);
    expect(await detections(cwd)).toHaveLength(2);
  });

  it("does not write over what it reads", async () => {
    const cwd = await folder();
    const before = await readFile(path.join(cwd, "rose.png"));
    const { code, stderr } = await detect(cwd, "rose.png", "-o", ".");
    expect(stderr).toMatch(/-o \.: rose\.png would be written over the image that is read; name another folder/);
    expect(code).toBe(2);
    expect(await readFile(path.join(cwd, "rose.png"))).toEqual(before);
  });

  it("keeps images of the same name apart, in files and in the list", async () => {
    const cwd = await folder();
    await mkdir(path.join(cwd, "a"));
    await writeFile(path.join(cwd, "a/rose.png"), await solidPng(30, 30, [0, 255, 0]));
    const { code, stderr } = await detect(cwd, "rose.png", "a/rose.png", "-o", "out");
    expect(code, stderr).toBe(0);
    expect(await listing(path.join(cwd, "out"))).toEqual(["detections.json", "rose-2.png", "rose.png"]);
    expect(await detections(cwd)).toMatchObject([{ image_id: "rose.png" }, { image_id: "a/rose.png" }]);
  });
});

it("names of drawn images are different and stay in their folder", () => {
  const names = drawnNames(["../../a.jpg", "b/A.JPEG", "a-2.jpg", "a.webp", "/x/..png", "stdin", "a.jpg"]);
  expect(names).toEqual(["a.jpg", "A-2.jpg", "a-2-2.jpg", "a.png", "..png", "stdin.png", "a-3.jpg"]);
});

describe("one clear line", () => {
  it.each([
    [["rose.png", "-", "-"], "- is one image: name it once", 2],
    [["rose.png", "--score", "2"], "a number from 0 to 1 is needed", 2],
    [["rose.png", "--batch", "0"], "a whole number from 1 to 256 is needed", 2],
    [["rose.png", "--weights", "x.pth"], "--weights is for targets; net.onnx is compiled already", 2],
    [["rose.png", "--categories", "instances.json"], "--categories are for detections.json, which -o writes", 2],
    [["rose.png", "-o", "net.onnx"], "net.onnx: the folder can't be made: a file has this name", 1],
    [["none"], "none: no such file", 1],
    [["bare"], "bare: no images in this folder", 1],
    [["rose.png", "--labels", "few.txt"], "1 labels", 1],
    [
      ["rose.png", "-o", "out", "--categories", "other.json"],
      "none of its classes (red, green, blue) is a category",
      1,
    ],
    [["rose.png", "-o", "out", "--categories", "none.json"], "none.json: no such file", 1],
  ])("detect net.onnx %j", async (args, message, exitCode) => {
    const other = JSON.stringify({ images: [], categories: [{ id: 1, name: "cat" }], annotations: [] });
    const cwd = await folder({ "few.txt": "", "other.json": other, "instances.json": INSTANCES });
    await writeFile(path.join(cwd, "few.txt"), "a\n");
    await mkdir(path.join(cwd, "bare"));
    const leaf = args.includes("few.txt") ? ["leaf.png"] : [];
    const { code, stdout, stderr } = await detect(cwd, ...args, ...leaf);
    expect(stderr).toContain(message);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(stdout).toBe("");
    expect(code).toBe(exitCode);
    expect(await listing(cwd)).not.toContain("out");
  });

  it("a classifier that is asked to detect, and a detector that is asked to classify", async () => {
    const cwd = await folder({ "tiny.onnx": tinyNetwork({ metadata: detectorMetadata() }) });
    const first = await resnetc(["detect", "tiny.onnx", "rose.png", "--device", "cpu"], { cwd });
    expect(first.stderr).toContain("tiny.onnx: not a detector: from image it gives probabilities, logits");
    const second = await resnetc(["classify", "net.onnx", "rose.png", "--device", "cpu"], { cwd });
    expect(second.stderr).toContain("net.onnx: a detector, which finds objects and doesn't classify: use detect");
    const third = await resnetc(["eval", "net.onnx", "--data", "shapes", "--device", "cpu"], { cwd });
    expect(third.stderr).toContain("net.onnx: a detector");
    expect([first.code, second.code, third.code]).toEqual([1, 1, 1]);
  });

  it("a long image where the preprocessing has no limit", async () => {
    const endless = fromVersion1({ ...SMALL_DECLARED, resize: { shorter: 600, like: "opencv" } });
    const model = wholeImage({ metadata: detectorMetadata(undefined, "exclusive", endless) });
    const cwd = await folder({ "net.onnx": model, "thread.png": await solidPng(10_000, 8, [255, 0, 0]) });
    const { code, stderr } = await detect(cwd, "thread.png");
    expect(stderr).toContain("thread.png: 10000x8 is too much for a detector: scaled it would be 750000x600");
    expect(code).toBe(1);
  });
});
