import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { modelMetadata } from "../../../compiler/metadata.js";
import { elaborate, parseTarget } from "../../../compiler/index.js";
import { matchClasses } from "../../../runtime/data/class-match.js";
import { openDataSet } from "../../../runtime/data/index.js";
import { drawConfusion } from "../../../runtime/figures/confusion.js";
import { evaluateModel, type EvaluateOptions, type Predicted } from "../../../runtime/classification/evaluate.js";
import { openPredictions } from "../../../runtime/classification/predictions.js";
import { colourFolders } from "../../support/colour-folders.js";
import { meanColour } from "../../support/onnx.js";
import { plainPreprocess } from "../../support/preprocess.js";

const preprocess = plainPreprocess({ name: "small", resize: { shorter: 24 }, centerCrop: [24, 24] });
const metadataOf = (labels?: readonly string[]) => modelMetadata(preprocess, labels, "MeanColour");

let root: string;
beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), "resnetc-evaluate-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));

async function evaluate(
  classes: Parameters<typeof colourFolders>[1],
  labels: readonly string[] | undefined,
  options: EvaluateOptions = {},
) {
  const folder = await mkdtemp(path.join(root, "data-"));
  await colourFolders(folder, classes);
  const data = await openDataSet(folder, { cache: false });
  const model = meanColour({ metadata: metadataOf(labels) });
  return evaluateModel(model, data, data.validation, { device: "cpu", ...options });
}

const CLASSES = { blue: ["blue", "blue", "red"], green: ["green"], red: ["red", "blue"] } as const;

describe("an evaluation", () => {
  it("counts right and wrong by class, by the classes' names in whatever order", async () => {
    const result = await evaluate(CLASSES, ["red", "green", "blue"]);
    expect(result).toMatchObject({
      images: 6,
      unreadable: 0,
      error5: 0,
      classesBy: "name",
      classes: [
        { name: "blue", images: 3, correct: 2 },
        { name: "green", images: 1, correct: 1 },
        { name: "red", images: 2, correct: 1 },
      ],
      confusion: [
        [2, 0, 1],
        [0, 1, 0],
        [1, 0, 1],
      ],
    });
    expect(result.error).toBeCloseTo(2 / 6, 12);
    expect(result.warnings).toEqual([expect.stringMatching(/in another order: matched by name$/)]);
  });

  it("refuses other names, and takes them by position where that is asked for", async () => {
    const folders = { ant: ["red"], bee: ["green"], cat: ["blue", "red"] } as const;
    await expect(evaluate(folders, ["red", "green", "blue"])).rejects.toThrow(
      /^the classes of model are not those of data-\w+: only model has "red", "green", "blue", only data-\w+ has "ant", "bee", "cat"; --classes-by position takes them in order$/,
    );
    const result = await evaluate(folders, ["red", "green", "blue"], { classesBy: "position" });
    expect(result).toMatchObject({ classesBy: "position", error: 0.25, confusion: [[1, 0, 0], [0, 1, 0], [1, 0, 1]] }); // prettier-ignore
    expect(result.warnings).toEqual([
      expect.stringMatching(/matched by position, as asked: 3 of 3 classes .* \(first: "red" is "ant"\)$/),
    ]);
  });

  it.each<[EvaluateOptions, string]>([
    [{ crops: 5 as never }, "crops: 5 is neither 1 nor 10"],
    [{ scales: [] }, "scales: none given"],
    [{ scales: [24], crops: 10 }, "scales take the whole image: they do not go with crops"],
  ])("refuses options %j, as classifying does", async (options, message) => {
    await expect(evaluate(CLASSES, ["red", "green", "blue"], options)).rejects.toThrow(message);
  });

  it("takes the outputs of a model without names in order, and says so", async () => {
    const result = await evaluate(CLASSES, undefined);
    expect(result.classesBy).toBe("position");
    expect(result.confusion[0]).toEqual([1, 0, 2]);
    expect(result.warnings).toEqual([
      expect.stringMatching(/carries no names of classes: its outputs are taken in the order/),
    ]);
    await expect(evaluate(CLASSES, undefined, { classesBy: "name" })).rejects.toThrow("carries no names of classes");
  });

  it("counts images that can't be read, and hands on what was said of each", async () => {
    const said: Predicted[] = [];
    const unreadable: string[] = [];
    const result = await evaluate({ ...CLASSES, green: ["broken", "green"] }, ["red", "green", "blue"], {
      onPrediction: (predicted) => said.push(predicted),
      onUnreadable: (message) => unreadable.push(message),
      top: 2,
    });
    expect(result).toMatchObject({ images: 6, unreadable: 1 });
    expect(unreadable).toEqual([expect.stringMatching(/val\/green\/0\.png: /)]);
    expect(said).toHaveLength(7);
    expect(said[2]).toMatchObject({
      label: "blue",
      predictions: [{ label: "red" }, { label: expect.any(String) as string }],
    });
    const [first] = "predictions" in said[0]! ? said[0].predictions : [];
    const powers = [20, 20, 250].map((value) => Math.exp(value / 255));
    expect(first!.probability).toBeCloseTo(powers[2]! / (powers[0]! + powers[1]! + powers[2]!), 5);
    expect(said[3]).toEqual({
      file: expect.stringMatching(/green\/0\.png$/) as string,
      label: "green",
      error: unreadable[0],
    });
    await expect(
      evaluate({ ...CLASSES, green: ["broken"] }, ["red", "green", "blue"], { strict: true }),
    ).rejects.toThrow("green/0.png");
    const broken = { blue: ["broken"], green: ["broken"], red: ["broken"] } as const;
    await expect(evaluate(broken, ["red", "green", "blue"])).rejects.toThrow("no image of validation could be read");
  });
});

describe("classes are matched", () => {
  const match = (labels: string[], classes: string[], by?: "name" | "position") =>
    matchClasses({ name: "net.onnx", labels, outputs: labels.length }, { name: "data", classes }, by);

  it("by name, whatever Unicode's form", () => {
    expect(match(["caf\u00e9", "b"], ["b", "cafe\u0301"])).toMatchObject({ by: "name", outputs: [1, 0] });
    expect(match(["a", "b"], ["a", "b"])).toEqual({ by: "name", outputs: [0, 1] });
    expect(match(["__proto__", "constructor"], ["constructor", "__proto__"]).outputs).toEqual([1, 0]);
  });

  it("not where a name is that of two, unless they are the same in the same order", () => {
    expect(match(["crane", "crane", "b"], ["crane", "crane", "b"]).outputs).toEqual([0, 1, 2]);
    expect(() => match(["crane", "crane", "b"], ["b", "crane", "crane"])).toThrow('names that occur twice ("crane"');
  });

  it("not where their number differs", () => {
    expect(() => match(["a", "b", "c"], ["a", "b"])).toThrow("data has 2 classes, net.onnx tells 3 apart");
    expect(() => match(["a", "b", "c"], ["a", "b"], "position")).toThrow("data has 2 classes");
  });

  it("ImageNet's synsets with its names by their common order; others are refused", () => {
    const { model } = elaborate(parseTarget("ResNet18"));
    const names = [...model!.labels!];
    expect(createHash("sha256").update(names.join("\n")).digest("hex")).toMatch(/^0b0f9fee7c952f25/);
    const strangers = names.map((_, i) => `n${String(10_000_000 + i)}`);
    expect(() => match(names, strangers)).toThrow(
      /only data has "n10000000".*called by WordNet's ids; --classes-by position/,
    );
    const sorted = [...names].sort();
    expect(match(names, sorted).outputs.map((output) => names[output])).toEqual(sorted);
  });
});

describe("a file of predictions", () => {
  const PREDICTED: Predicted[] = [
    { file: 'a,"b".png', label: "caf\u00e9", predictions: [{ label: "x", index: 0, probability: 0.75 }, { label: "caf\u00e9", index: 1, probability: 0.25 }] }, // prettier-ignore
    { file: "c.png", label: "x", error: "c.png: empty" },
  ];
  async function written(name: string): Promise<string> {
    const file = openPredictions(path.join(root, name), 2);
    for (const each of PREDICTED) file.add(each);
    await file.finish();
    return readFile(path.join(root, name), "utf8");
  }

  it("is CSV or JSON lines, by its ending", async () => {
    expect(await written("p.csv")).toBe(
      "file,label,predicted1,probability1,predicted2,probability2,error\r\n" +
        '"a,""b"".png",caf\u00e9,x,0.75,caf\u00e9,0.25,\r\n' +
        "c.png,x,,,,,c.png: empty\r\n",
    );
    expect(
      (await written("p.jsonl"))
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual([
      { file: 'a,"b".png', label: "caf\u00e9", predictions: [{ label: "x", probability: 0.75 }, { label: "caf\u00e9", probability: 0.25 }] }, // prettier-ignore
      { file: "c.png", label: "x", error: "c.png: empty" },
    ]);
    expect(() => openPredictions(path.join(root, "p.txt"), 2)).toThrow(
      "predictions are written to .csv, .jsonl, .ndjson",
    );
  });

  it("leaves nothing behind where it is given up, and says early that it can't be written", async () => {
    const file = openPredictions(path.join(root, "q.csv"), 1);
    file.add(PREDICTED[0]!);
    await file.discard();
    expect((await readdir(root)).filter((name) => name.includes("q.csv"))).toEqual([]);
    const nowhere = openPredictions(path.join(root, "none", "q.csv"), 1);
    await expect(nowhere.finish()).rejects.toThrow("the folder is not there");
  });
});

describe("a confusion matrix is drawn", () => {
  const matrixOf = (count: number, name = (i: number) => `class ${i}`) => ({
    classes: Array.from({ length: count }, (_, i) => ({ name: name(i), images: 10, correct: 7 })),
    confusion: Array.from({ length: count }, (_, row) =>
      Array.from({ length: count }, (_, column) => (row === column ? 7 : column === (row + 1) % count ? 3 : 0)),
    ),
  });

  it("with numbers and names where they are legible", () => {
    const svg = drawConfusion(matrixOf(3, (i) => ["<a>", 'b"', "c"][i]!));
    expect(svg.match(/class="number/g)).toHaveLength(6);
    expect(svg).toContain("&lt;a&gt; taken for b&quot;: 3 of 10 (30.0 %)");
    expect(svg).not.toContain("<a>");
    expect(drawConfusion(matrixOf(100))).toContain(">class 99<");
    expect(drawConfusion(matrixOf(100))).not.toContain('class="number');
  });

  it("of a thousand classes is of a size that programs show, without the empty cells", () => {
    const svg = drawConfusion(matrixOf(1000));
    expect(svg.match(/<rect /g)!.length).toBe(2002);
    expect(Number(/width="(\d+)"/.exec(svg)![1])).toBeLessThan(2500);
  });
});
