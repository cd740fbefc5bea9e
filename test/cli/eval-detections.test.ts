import { readFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { folderWith, resnetc } from "./resnetc.js";

const INSTANCES = {
  images: [{ id: 1, file_name: "1.png", width: 100, height: 80 }],
  categories: [
    { id: 1, name: "cat" },
    { id: 2, name: "dog" },
  ],
  annotations: [
    { id: 1, image_id: 1, category_id: 1, bbox: [10, 10, 40, 40], area: 1600, iscrowd: 0 },
    { id: 2, image_id: 1, category_id: 2, bbox: [60, 10, 20, 20], area: 400, iscrowd: 0 },
  ],
};
const FOUND = [
  { image_id: 1, category_id: 1, bbox: [10, 10, 40, 40], score: 0.9 },
  { image_id: 1, category_id: 2, bbox: [0, 0, 20, 20], score: 0.8 },
  { image_id: 1, category_id: 9, bbox: [0, 0, 20, 20], score: 0.8 },
];

function folder(found: unknown = FOUND) {
  return folderWith({ "instances.json": JSON.stringify(INSTANCES), "dets.json": JSON.stringify(found) });
}
const ARGUMENTS = ["eval", "--detections", "dets.json", "--data", "instances.json"];

describe("resnetc eval --detections", () => {
  test("prints the classes and the twelve numbers; what was left out is on stderr", async () => {
    const { code, stdout, stderr } = await resnetc(ARGUMENTS, { cwd: await folder() });
    expect(stdout).toMatch(/^cat +1 +100\.0/m);
    expect(stdout).toMatch(/^dog +1 +0\.0/m);
    expect(stdout).toMatch(/^AP +50\.0 +average precision/m);
    expect(stdout).toMatch(/^ARl +- /m);
    expect(stderr).toContain("left out 1 detection of categories that the annotations don't list");
    expect(code).toBe(0);
  });

  test("gives JSON and draws curves", async () => {
    const cwd = await folder();
    const voc = await resnetc([...ARGUMENTS, "--metric", "voc07", "--json", "--curves", "pr.svg"], { cwd });
    expect(JSON.parse(voc.stdout)).toMatchObject({ schema: 1, metric: "voc07", mAP: expect.closeTo(0.5, 9) as number });
    expect(await readFile(path.join(cwd, "pr.svg"), "utf8")).toMatch(/^<svg /);
  });

  describe("of masks", () => {
    const SQUARES = [
      [10, 10, 50, 10, 50, 50, 10, 50],
      [60, 10, 80, 10, 80, 30, 60, 30],
    ];
    const masked = (part = 2) => ({
      ...INSTANCES,
      annotations: INSTANCES.annotations.map((each, i) => ({
        ...each,
        ...(i < part && { segmentation: [SQUARES[i]] }),
      })),
    });
    const found = FOUND.slice(0, 2).map((each) => ({ ...each, segmentation: [SQUARES[0]] }));
    const files = (instances: object, list: object = found) =>
      folderWith({ "instances.json": JSON.stringify(instances), "dets.json": JSON.stringify(list) });

    test("judges them beside boxes", async () => {
      const cwd = await files(masked());
      const { code, stdout, stderr } = await resnetc(ARGUMENTS, { cwd });
      expect([code, stderr]).toEqual([0, ""]);
      const [boxes, masks] = stdout.split("\nMasks\n");
      expect(boxes).toContain("\nBoxes\n");
      for (const part of [boxes, masks]) expect(part).toMatch(/^AP +50\.0 +average precision/m);
      const json = JSON.parse((await resnetc([...ARGUMENTS, "--json"], { cwd })).stdout) as unknown;
      const numbers = { AP: expect.closeTo(0.5, 9) as number, classes: [{ name: "cat" }, { name: "dog", AP: 0 }] };
      expect(json).toMatchObject({ ...numbers, masks: numbers, warnings: [] });
    });

    test("or says why not", async () => {
      const message = "masks can't be judged: 1 of 2 annotations have none; the numbers are of boxes";
      const cwd = await files(masked(1));
      const { code, stdout, stderr } = await resnetc([...ARGUMENTS, "--json"], { cwd });
      expect(code).toBe(0);
      expect(stderr).toContain(message);
      const json = JSON.parse(stdout) as { warnings: string[] };
      expect(json.warnings).toEqual([message]);
      expect(json).not.toHaveProperty("masks");
      // Nobody asks for those of annotations alone, nor for those of boxes' metrics.
      const plain = await resnetc(ARGUMENTS, { cwd: await files(masked(), FOUND.slice(0, 2)) });
      expect([plain.stderr, plain.stdout.includes("Masks")]).toEqual(["", false]);
      const voc = await resnetc([...ARGUMENTS, "--metric", "voc07"], { cwd: await files(masked()) });
      expect([voc.stderr, voc.stdout.includes("Masks")]).toEqual(["", false]);
    });

    test("of another size than annotated overlap nothing, which is said of each image", async () => {
      const whole = (size: readonly [number, number]) => ({ size, counts: [0, size[0] * size[1]] });
      const unsized = {
        ...INSTANCES,
        images: [{ id: 1, file_name: "1.png" }],
        annotations: INSTANCES.annotations.map((each) => ({ ...each, segmentation: whole([80, 100]) })),
      };
      const list = FOUND.slice(0, 2).map((each) => ({ ...each, segmentation: whole([40, 50]) }));
      const cwd = await files(unsized, list);
      const message =
        "image 1 (1.png): masks of detections are 50 x 40 pixels, those of annotations 100 x 80; " +
        "masks of different sizes overlap nothing";
      const { stdout, stderr } = await resnetc([...ARGUMENTS, "--json"], { cwd });
      expect(stderr.split(message)).toHaveLength(2);
      expect(JSON.parse(stdout)).toMatchObject({
        AP50: expect.closeTo(0.5, 9) as number,
        masks: { AP50: 0 },
        warnings: [message],
      });
    });

    test("gives what is no mask a line", async () => {
      const wrong = found.map((each, i) => (i === 0 ? { ...each, segmentation: [[1, 2, 3]] } : each));
      const { code, stderr } = await resnetc(ARGUMENTS, { cwd: await files(masked(), wrong) });
      expect(stderr).toContain(
        'dets.json: detection number 1: "segmentation" must have x and y of three corners or more for each part, not [1,2,3]',
      );
      expect(code).toBe(1);
    });
  });

  test.each([
    [["eval"], "eval needs a model, or --detections", 2],
    [["eval", "run"], "eval needs --data, whose classes or boxes are known", 2],
    [["eval", "--detections", "dets.json"], "eval needs --data, whose classes or boxes are known", 2],
    [["eval", "net", ...ARGUMENTS.slice(1)], "--detections are judged without a model", 2],
    [[...ARGUMENTS, "--save", "x.json"], "--save is for a model, and --detections are judged without one", 2],
    [[...ARGUMENTS, "--crops", "10"], "--crops is for classifiers", 2],
    [["eval", "--detections", "none.json", "--data", "instances.json"], "none.json: no such file", 1],
    [["eval", "--detections", "dets.json", "--data", "none"], "none: no such folder", 1],
    [["eval", "--detections", "instances.json", "--data", "instances.json"], "detections must be a list", 1],
    [["eval", "--detections", "dets.json", "--data", "shapes"], "--detections need --data with boxes", 2],
  ])("%j is told in one line", async (args, message, exitCode) => {
    const { code, stdout, stderr } = await resnetc(args, { cwd: await folder() });
    expect(stderr).toContain(message);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(stdout).toBe("");
    expect(code).toBe(exitCode);
  });
});
