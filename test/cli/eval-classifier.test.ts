/** A classifier and folders of labelled images, from end to end. */
import { readFile, symlink } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { modelMetadata } from "../../compiler/metadata.js";
import { colourFolders } from "../support/colour-folders.js";
import { solidPng } from "../support/detection-data.js";
import { meanColour } from "../support/onnx.js";
import { folderWith, listing, resnetc } from "./resnetc.js";
import { plainPreprocess } from "../support/preprocess.js";

const PREPROCESS = plainPreprocess({ name: "small", resize: { shorter: 24 }, centerCrop: [24, 24] });
const CLASSES = { blue: ["blue", "blue", "red"], green: ["green"], red: ["red", "blue"] } as const;

async function folder(
  classes: Parameters<typeof colourFolders>[1] = CLASSES,
  labels: readonly string[] | undefined = ["red", "green", "blue"],
): Promise<string> {
  const cwd = await folderWith({
    "net.onnx": meanColour({ metadata: modelMetadata(PREPROCESS, labels, "MeanColour") }),
  });
  await colourFolders(path.join(cwd, "data"), classes);
  return cwd;
}
const evaluate = (cwd: string, ...args: string[]) =>
  resnetc(["eval", "net.onnx", "--data", "data", "--device", "cpu", ...args], { cwd });

describe("resnetc eval MODEL --data", () => {
  it("prints errors, classes and the matrix; draws it, and writes what was said of each image", async () => {
    const cwd = await folder();
    const { code, stdout, stderr } = await evaluate(
      cwd,
      "--confusion",
      "c.svg",
      "--predictions",
      "p.csv",
      "--top",
      "2",
    );
    expect(code, stderr).toBe(0);
    expect(stdout).toContain("data, 6 images of validation\ntop-1 error 33.33 %, top-5 0.00 %");
    expect(stdout).toMatch(/^blue +3 +66\.7 % +red \(1\)$/m);
    expect(stdout).toMatch(/^green +1 +100\.0 %$/m);
    expect(stdout).toMatch(/^red +1 +· +1$/m);
    expect(stderr).toContain("warning: net.onnx has the classes of data in another order: matched by name");
    expect(await readFile(path.join(cwd, "c.svg"), "utf8")).toMatch(/^<svg /);
    const lines = (await readFile(path.join(cwd, "p.csv"), "utf8")).trim().split("\r\n");
    expect(lines[0]).toBe("file,label,predicted1,probability1,predicted2,probability2,error");
    expect(lines.slice(1).map((line) => line.split(",").slice(1, 3))).toEqual(
      ["blue,blue", "blue,blue", "blue,red", "green,green", "red,red", "red,blue"].map((pair) => pair.split(",")),
    );
    expect((await listing(cwd)).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });

  it("gives all of it to programs", async () => {
    const { stdout } = await evaluate(await folder(), "--json");
    expect(JSON.parse(stdout)).toMatchObject({
      schema: 1,
      images: 6,
      unreadable: 0,
      classesBy: "name",
      classes: [{ name: "blue", images: 3, correct: 2 }, { name: "green" }, { name: "red" }],
      confusion: [[2, 0, 1], [0, 1, 0], [1, 0, 1]], // prettier-ignore
      warnings: [expect.stringContaining("matched by name")],
    });
  });

  it("says on how many images it judged, and names the first that can't be read", async () => {
    const broken = ["green", ...Array<"broken">(8).fill("broken")] as const;
    const cwd = await folder({ ...CLASSES, green: broken });
    const { code, stdout, stderr } = await evaluate(cwd, "--predictions", "p.jsonl");
    expect(code).toBe(0);
    expect(stdout).toContain("data, 6 of 14 images of validation: 8 could not be read");
    expect(stderr.match(/warning: data\/val\/green\/\d\.png: /g)).toHaveLength(5);
    expect(stderr).toContain("warning: 3 more images can't be read");
    const lines = (await readFile(path.join(cwd, "p.jsonl"), "utf8")).trim().split("\n");
    expect(lines.map((line) => JSON.parse(line) as object).filter((line) => "error" in line)).toHaveLength(8);
    expect(JSON.parse((await evaluate(cwd, "--json")).stdout)).toMatchObject({ images: 6, unreadable: 8 });
  });

  it("tells what the data set warns of", async () => {
    const cwd = await folder();
    await symlink("nowhere.png", path.join(cwd, "data/val/red/link.png"));
    const { stdout, stderr } = await evaluate(cwd, "--json");
    expect(stderr).toMatch(/warning: data\/val: 1 link to nothing left out: red\/link\.png/);
    expect((JSON.parse(stdout) as { warnings: string[] }).warnings.join("\n")).toMatch(/link\.png/);
  });

  it("folders of other names are refused, or taken by position", async () => {
    const cwd = await folder({ ant: ["red"], bee: ["green"], cat: ["blue"] });
    const refused = await evaluate(cwd, "--predictions", "p.csv");
    expect(refused.stderr).toContain(
      'error: the classes of net.onnx are not those of data: only net.onnx has "red", "green", "blue", only data has "ant", "bee", "cat"; --classes-by position takes them in order',
    );
    expect(refused.code).toBe(1);
    expect(await listing(cwd)).toEqual(["data", "net.onnx"]);
    const taken = await evaluate(cwd, "--classes-by", "position");
    expect(taken.stdout).toContain("top-1 error 0.00 %");
    expect(taken.stderr).toContain("matched by position, as asked: 3 of 3 classes have another name");
  });

  it.each<[string, string[], string, number]>([
    ["other endings", ["--predictions", "p.xlsx"], "p.xlsx: predictions are written to .csv, .jsonl, .ndjson", 1],
    [
      "a folder that is not there",
      ["--predictions", "none/p.csv"],
      "none/p.csv: can't be written: the folder is not there",
      1,
    ],
    ["classes without a file", ["--top", "3"], "--top is of the classes in --predictions", 2],
    ["a detector's options", ["--save", "d.json"], "--save is for detectors, and data has classes, not boxes", 2],
    ["a detector's images", ["--images", "data"], "data: has its images where it is: no other folder is looked at", 1],
  ])("%s: one clear line", async (_, args, message, exitCode) => {
    const cwd = await folder();
    const { code, stdout, stderr } = await evaluate(cwd, ...args);
    expect(stderr).toContain(message);
    expect(stdout).toBe("");
    expect(code).toBe(exitCode);
  });
});

it("a classifier of one class an image is not judged by boxes, nor trained on the classes of objects", async () => {
  const images = ["a.png", "b.png"].map((file_name, index) => ({ id: index + 1, file_name }));
  const instances = { images, categories: [{ id: 1, name: "red" }], annotations: [] };
  const files = {
    "net.onnx": meanColour(),
    "instances.json": JSON.stringify(instances),
    "a.png": await solidPng(8, 8, [255, 0, 0]),
    "b.png": await solidPng(8, 8, [255, 0, 0]),
  };
  const cwd = await folderWith(files);
  const judged = await resnetc(["eval", "net.onnx", "--data", "instances.json", "--device", "cpu"], { cwd });
  expect(judged.stderr).toContain("net.onnx: not a detector");
  expect(judged.code).toBe(1);
  const training = [
    "train",
    "CifarResNet",
    "--recipe",
    "shapes",
    "--data",
    "coco:instances.json",
    "-o",
    "run",
    "--device",
    "cpu",
  ];
  const trained = await resnetc(training, { cwd });
  expect(trained.stderr).toMatch(
    /CifarResNet is trained by softmax cross entropy, which takes one class an image: where images have several, as those of instances\.json do, write/,
  );
  expect(trained.code).toBe(1);
});
