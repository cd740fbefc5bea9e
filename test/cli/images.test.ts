/** What images the command line takes, and networks of one channel from end to end. */
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { folderWith, resnetc } from "./resnetc.js";

const CAT = fileURLToPath(new URL("../../examples/cifar10/cat.jpg", import.meta.url));
const SOURCE = `preprocess how { resize 16x16   normalize(mean: 0.5, std: 0.25, color: grey) }
network Grey(end = true) {
  input image 1x16x16
  preprocess how
  stage conv1 { conv 3x3, 4, /2   bn   relu }
  head        { global_avg_pool   fc 10   if end { softmax } else { sigmoid } }
}
recipe quick {
  optimizer sgd(momentum: 0.9)
  batch 16
  learning_rate 0.05
  stop 2
  train { resize 16x16   normalize(mean: 0.5, std: 0.25, color: grey) }
}
`;

let cwd: string;
beforeAll(async () => {
  const names = Array.from({ length: 10 }, (_, i) => `class ${i}`);
  cwd = await folderWith({
    "grey.resnet": SOURCE,
    "names.txt": `\uFEFF${names.join("\r\n")}\r\n\r\n`,
    "hole.txt": "a\n\nb\n",
  });
  await mkdir(join(cwd, "photos"));
  await copyFile(CAT, join(cwd, "photos/b.jpg"));
  await copyFile(CAT, join(cwd, "photos/a.JPG"));
  await writeFile(join(cwd, "photos/notes.txt"), "no image");
  await writeFile(join(cwd, "photos/._a.JPG"), "macOS's");
}, 60_000);

async function good(args: readonly string[], input?: Uint8Array) {
  const { code, stdout, stderr } = await resnetc(args, { cwd, ...(input && { input }) });
  expect(code, stderr).toBe(0);
  return { stdout, stderr };
}

const classify = ["classify", "grey.resnet", "--device", "cpu", "--json"];

describe("classify", () => {
  it("takes folders, standard input, a batch and threads; labels with a mark, CR LF and blank lines behind", async () => {
    const more = ["photos", "-", "--labels", "names.txt", "--batch", "2", "--threads", "1"];
    const { stdout, stderr } = await good([...classify, ...more], await readFile(CAT));
    const { results, scores, preprocess } = JSON.parse(stdout) as {
      results: { image: string; predictions: { label: string }[] }[];
      scores: unknown;
      preprocess: unknown;
    };
    expect(results.map(({ image }) => image)).toEqual([join("photos", "a.JPG"), join("photos", "b.jpg"), "stdin"]);
    expect(results[2]!.predictions).toEqual(results[0]!.predictions);
    expect(results[0]!.predictions[0]!.label).toMatch(/^class \d$/);
    expect(scores).toEqual({ output: "probabilities", kind: "probabilities", applied: null });
    expect(preprocess).toMatchObject({ transforms: [{}, { color: "grey", mean: [0.5] }] });
    expect(stderr).toContain("photos: 1 file is not taken for images (1 .txt)");
  }, 60_000);

  it("a label without a name is refused", async () => {
    const { code, stderr } = await resnetc([...classify, CAT, "--labels", "hole.txt"], { cwd });
    expect(code).toBe(1);
    expect(stderr).toContain("hole.txt: line 2 is blank: a class without a name");
  }, 60_000);

  it("shows a sigmoid's values", async () => {
    const { stdout, stderr } = await good(["classify", "grey.resnet#Grey(end: false)", CAT, "--device", "cpu"]);
    expect(stdout).toMatch(/^ {2}0\.\d{3} {2}class \d$/m);
    expect(stderr).toContain("each class has a probability of its own");
  }, 60_000);

  it("takes a model that preprocesses images itself", async () => {
    await good(["compile", "grey.resnet", "--input-pixels", "-o", "pixels.onnx"]);
    const first = (text: string) =>
      (JSON.parse(text) as { results: { predictions: { index: number; probability: number }[] }[] }).results[0]!
        .predictions[0]!;
    const own = first((await good(["classify", "pixels.onnx", CAT, "--device", "cpu", "--json"])).stdout);
    const ours = first((await good([...classify, CAT])).stdout);
    expect(own.index).toBe(ours.index);
    expect(own.probability).toBeCloseTo(ours.probability, 3);
  }, 60_000);
});

it("a network of one channel is trained, evaluated and looked into", async () => {
  const data = ["--data", "shapes", "--device", "cpu", "--json"];
  await good(["train", "grey.resnet", "--recipe", "grey.resnet#quick", ...data, "--threads", "1", "-o", "run"]);
  const { stdout } = await good(["eval", "run", ...data, "--split", "validation"]);
  expect(JSON.parse(stdout)).toMatchObject({
    scores: { kind: "probabilities" },
    preprocess: { transforms: [{}, { color: "grey" }] },
  });
  await good(["responses", "grey.resnet", ...data, "--images", "50"]);
}, 120_000);
