/** A classifier of several labels an image from the command line, from training to the labels of a photograph. */
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import Ajv from "ajv";
import sharp from "sharp";
import { beforeAll, describe, expect, it } from "vitest";
import { folderWith, resnetc } from "./resnetc.js";

const COLOURS = { blue: [0, 0, 255], green: [0, 200, 0], red: [255, 0, 0] } as const;
type Colour = keyof typeof COLOURS;
const NAMES = Object.keys(COLOURS) as Colour[];
const EXAMPLE = path.join(import.meta.dirname, "../../examples/tagger/tagger.resnet");

/** An image of any of the colours, each in a third of its own, on grey. */
async function striped(file: string, colours: readonly Colour[]): Promise<void> {
  const data = new Uint8Array(24 * 32 * 3).fill(128);
  for (let at = 0; at < data.length; at++) {
    const column = Math.floor(at / 3) % 32;
    const own = NAMES[Math.floor(column / 11)]!;
    if (colours.includes(own)) data[at] = COLOURS[own][at % 3]!;
  }
  await sharp(data, { raw: { width: 32, height: 24, channels: 3 } })
    .png()
    .toFile(file);
}

async function schemaOf(command: string) {
  const read = async (name: string): Promise<object> =>
    JSON.parse(
      await readFile(path.join(import.meta.dirname, `../../docs/schemas/${name}.schema.json`), "utf8"),
    ) as object;
  const ajv = new Ajv();
  ajv.addSchema(await read("common"));
  return ajv.compile(await read(command));
}

let cwd = "";
let trained: { readonly stderr: string; readonly report: Record<string, unknown> };
beforeAll(async () => {
  cwd = await folderWith({});
  await copyFile(EXAMPLE, path.join(cwd, "tagger.resnet"));
  await mkdir(path.join(cwd, "photos"));
  const lines = await Promise.all(
    Array.from({ length: 48 }, async (_, image) => {
      const colours = NAMES.filter((_, label) => ((image % 8) >> label) % 2 === 1);
      const file = `photos/${String(image).padStart(2, "0")}.png`;
      await striped(path.join(cwd, file), colours);
      return [file, ...colours].join(",");
    }),
  );
  await writeFile(path.join(cwd, "labels.csv"), `${lines.join("\n")}\n`);
  const { code, stdout, stderr } = await resnetc(
    [
      ...["train", "tagger.resnet#Tagger(width: 4, classes: 3)", "--recipe", "tagger.resnet", "--data", "labels.csv"],
      ...["-o", "run", "--device", "cpu", "--threads", "1", "--validation", "16", "--best", "--json"],
      ...["--steps", "24", "--set", "batch=8", "--set", "warm_up=none", "--set", "validate=8"],
    ],
    { cwd },
  );
  expect(code, stderr).toBe(0);
  trained = { stderr, report: JSON.parse(stdout) as Record<string, unknown> };
}, 240_000);

describe("a tagger", () => {
  it("is trained by mean average precision", async () => {
    const { report, stderr } = trained;
    const validate = await schemaOf("train");
    expect(validate(report), JSON.stringify(validate.errors)).toBe(true);
    expect(report).toMatchObject({
      validation: { losses: { "head.binary_cross_entropy": expect.any(Number) as number }, f1: { threshold: 0.5 } },
      best: { mAP: expect.any(Number) as number },
      exported: { from: "best", mAP: expect.any(Number) as number },
    });
    // By chance it would be a half.
    expect((report["best"] as { mAP: number }).mAP).toBeGreaterThan(0.85);
    expect(stderr).toMatch(/validation mAP [\d.]+ %, F1 [\d.]+ % \(macro [\d.]+ %\), error [\d.]+ %, loss/);
  });

  it("is judged label by label, with the numbers of the training", async () => {
    const args = ["eval", "run", "--data", "labels.csv", "--split", "validation", "--device", "cpu"];
    const { code, stdout, stderr } = await resnetc([...args, "--predictions", "p.jsonl"], { cwd });
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(
      /^labels\.csv, 16 images of validation\nmAP [\d.]+ %, F1 at 0\.5: micro [\d.]+ %, macro [\d.]+ %$/m,
    );
    expect(stdout).toMatch(/^label +images +AP +precision +recall +F1$/m);
    expect(stdout).toMatch(/^blue +\d+ +[\d.]+ %/m);
    const [line] = (await readFile(path.join(cwd, "p.jsonl"), "utf8")).split("\n");
    expect(Object.keys(JSON.parse(line!) as object)).toEqual(["file", "labels", "predictions"]);
    const json = await resnetc([...args, "--threshold", "0.3", "--json"], { cwd });
    const report = JSON.parse(json.stdout) as Record<string, unknown>;
    const validate = await schemaOf("eval");
    expect(validate(report), JSON.stringify(validate.errors)).toBe(true);
    expect(report).toMatchObject({
      f1: { threshold: 0.3 },
      labels: [{ name: "blue" }, { name: "green" }, { name: "red" }],
      scores: { kind: "independent", applied: null },
    });
    const { mAP } = trained.report["best"] as { mAP: number };
    expect(report["mAP"]).toBeCloseTo(mAP, 6);
  });

  it("says of a photograph which labels are likely enough", async () => {
    await striped(path.join(cwd, "all.png"), NAMES);
    const classify = (...more: string[]) =>
      resnetc(["classify", "run/model.onnx", "all.png", "--device", "cpu", ...more], { cwd });
    const { stdout, stderr } = await classify("--threshold", "0");
    expect(stderr).toContain("each class has a probability of its own (sigmoid)");
    expect(stdout.trim().split("\n")).toHaveLength(4);
    expect((await classify("--threshold", "1")).stdout).toContain("  nothing above 1");
    const json = JSON.parse((await classify("--json", "--threshold", "0.2")).stdout) as {
      readonly threshold: number;
      readonly results: readonly { readonly predictions: readonly { readonly probability: number }[] }[];
    };
    const validate = await schemaOf("classify");
    expect(validate(json), JSON.stringify(validate.errors)).toBe(true);
    expect(json.threshold).toBe(0.2);
    const { predictions } = json.results[0]!;
    expect(predictions.length).toBeGreaterThan(0);
    for (const { probability } of predictions) expect(probability).toBeGreaterThan(0.2);
    expect((await classify("--top", "1", "--threshold", "0")).stdout.trim().split("\n")).toHaveLength(2);
  });

  it("is not asked for what it does not say", async () => {
    const confusion = await resnetc(["eval", "run", "--data", "labels.csv", "--confusion", "c.svg"], { cwd });
    expect(confusion.stderr).toContain("--confusion is for images with one class each");
    const source = `network Softmax { input image 3x24x32   global_avg_pool   fc 3   softmax }
      preprocess plain { resize 24x32   normalize(mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25]) }`;
    await writeFile(path.join(cwd, "net.resnet"), source.replace("3x24x32 ", "3x24x32   preprocess plain "));
    const softmax = ["net.resnet#Softmax", "--device", "cpu"];
    const one = await resnetc(["eval", ...softmax, "--data", "labels.csv"], { cwd });
    expect(one.stderr).toMatch(
      /takes one class of an image for right \(softmax\), and images of labels\.csv have any number/,
    );
    const threshold = await resnetc(["classify", ...softmax, "all.png", "--threshold", "0.3"], { cwd });
    expect(threshold.stderr).toContain("--threshold is for independent classes (sigmoid)");
  });
});
