/** Compiled models run: classify and bench from end to end. */
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it } from "vitest";
import { folderWith, resnetc } from "./resnetc.js";

const NETWORK = `import { cifar10 } from "std/preprocess"

network Tiny {
  input image 3xHxW
  preprocess cifar10
  labels ["ant", "bee", "cat", "dog"]
  stage conv1 { conv 3x3, 8   bn   relu }
  head        { global_avg_pool   fc 4   softmax }
}
`;

interface Report {
  readonly device: string;
  readonly results: {
    readonly image: string;
    readonly predictions?: { readonly label: string; readonly index: number; readonly probability: number }[];
    readonly error?: string;
  }[];
}

let folder: string;

beforeAll(async () => {
  folder = await folderWith({
    "tiny.resnet": NETWORK,
    "bad.jpg": "no image",
    "names.txt": "a\nb\nc\nd\n",
    "few.txt": "a\n",
  });
  const photograph = fileURLToPath(new URL("../../examples/cifar10/cat.jpg", import.meta.url));
  await copyFile(photograph, join(folder, "cat.jpg"));
  const { code, stderr } = await resnetc(["compile", "tiny.resnet", "--input", "3x32x32", "-o", "tiny.onnx"], {
    cwd: folder,
  });
  expect(code, stderr).toBe(0);
});

async function classify(...args: string[]): Promise<Report> {
  const { code, stdout, stderr } = await resnetc(["classify", ...args, "--device", "cpu", "--json"], { cwd: folder });
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout) as Report;
}

describe("classify", () => {
  it("prints the likeliest classes of each image, the likeliest first", async () => {
    const args = ["classify", "tiny.onnx", "cat.jpg", "cat.jpg", "--top", "3", "--device", "cpu"];
    const { code, stdout } = await resnetc(args, { cwd: folder });
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split("\n");
    expect(lines.filter((line) => line === "cat.jpg")).toHaveLength(2);
    const shares = lines.slice(1, 4).map((line) => Number(/^ +(\d+\.\d) % {2}(?:ant|bee|cat|dog)$/.exec(line)![1]));
    expect(shares).toEqual(shares.toSorted((a, b) => b - a));
  });

  it("gives programs probabilities that sum to one", async () => {
    const report = await classify("tiny.onnx", "cat.jpg");
    expect(report).toMatchObject({ schema: 1, network: "Tiny", device: "cpu" });
    const { predictions } = report.results[0]!;
    expect(predictions!.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 5);
    expect(predictions!.map(({ label }) => label).sort()).toEqual(["ant", "bee", "cat", "dog"]);
  });

  it("compiles a target first, to the same result", async () => {
    const fromFile = await classify("tiny.onnx", "cat.jpg");
    const fromTarget = await classify("tiny.resnet#Tiny", "cat.jpg", "--input", "3x32x32");
    expect(fromTarget.results).toEqual(fromFile.results);
  });

  it("opens the size of a target whose source fixes it, for scales", async () => {
    const args = ["classify", "CifarResNet(depth: 8)", "cat.jpg", "--scales", "32,40"];
    const { code, stdout } = await resnetc(args, { cwd: folder });
    expect(stdout).toContain("%");
    expect(code).toBe(0);
  });

  it("averages crops and scales", async () => {
    const one = await classify("tiny.resnet", "cat.jpg", "--crops", "1", "--input", "3x32x32");
    const ten = await classify("tiny.resnet", "cat.jpg", "--crops", "10", "--input", "3x32x32");
    const scales = await classify("tiny.resnet", "cat.jpg", "--scales", "32,48");
    const first = (report: Report) => report.results[0]!.predictions!.find(({ index }) => index === 0)!.probability;
    expect(new Set([first(one), first(ten), first(scales)]).size).toBe(3);
  });

  it("takes other labels and another preprocessing", async () => {
    const report = await classify("tiny.onnx", "cat.jpg", "--labels", "names.txt", "--preprocess", "torchvision");
    expect(report).toMatchObject({ preprocess: { name: "torchvision" } });
    expect(report.results[0]!.predictions!.map(({ label }) => label).sort()).toEqual(["a", "b", "c", "d"]);
  });

  it("tells what it can't read, goes on with the others, and exits 1", async () => {
    const { code, stdout, stderr } = await resnetc(
      ["classify", "tiny.onnx", "bad.jpg", "none.jpg", "cat.jpg", "--device", "cpu"],
      { cwd: folder },
    );
    expect(code).toBe(1);
    expect(stdout).toMatch(/^cat\.jpg\n/);
    expect(stderr).toMatch(/^error: bad\.jpg: /m);
    expect(stderr).toMatch(/^error: none\.jpg: /m);
    expect(stderr).toMatch(/warning: 2 images of 3 could not be read/);
  });

  it.each([
    [["classify", "tiny.onnx", "cat.jpg", "--labels", "few.txt"], /4 classes, but 1 labels?/],
    [["compile", "tiny.resnet", "--labels", "few.txt", "-o", "x.onnx"], /few\.txt: 1 labels?, but Tiny has 4 classes/],
    [["classify", "tiny.onnx", "cat.jpg", "--scales", "32"], /fixed to 32x32/],
    [["classify", "none.onnx", "cat.jpg"], /none\.onnx: no such file/],
  ])("%j is refused in one line", async (args, message) => {
    const { code, stderr } = await resnetc(args, { cwd: folder });
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/^\s+at /m);
  });
});

it("npm start's job: the shipped weights know a cat from a dog", async () => {
  const examples = (name: string) => fileURLToPath(new URL(`../../examples/cifar10/${name}`, import.meta.url));
  const weights = ["--weights", examples("cifar_resnet20.safetensors")];
  const { results } = await classify("CifarResNet(depth: 20)", examples("cat.jpg"), examples("dog.jpg"), ...weights);
  expect(results.map(({ predictions }) => predictions![0]!.label)).toEqual(["cat", "dog"]);
});

describe("bench", () => {
  it("measures, and counts multiply-adds of a target", async () => {
    const args = [
      "bench",
      "tiny.resnet",
      "--input",
      "3x32x32",
      "--batch",
      "1,2",
      "--iterations",
      "3",
      "--device",
      "cpu",
      "--json",
    ];
    const { code, stdout, stderr } = await resnetc(args, { cwd: folder });
    expect(code, stderr).toBe(0);
    const report = JSON.parse(stdout) as {
      results: {
        batch: number;
        medianMs: number;
        imagesPerSecond: number;
        macsPerSecond: number;
        layers: { path: string }[];
      }[];
    };
    expect(report.results.map(({ batch }) => batch)).toEqual([1, 2]);
    const macs = 3 * 9 * 8 * 32 * 32 + 8 * 4;
    for (const { imagesPerSecond, macsPerSecond, layers } of report.results) {
      expect(macsPerSecond / imagesPerSecond / macs).toBeCloseTo(1, 3);
      expect(layers.map(({ path }) => path)).toContain("conv1.conv");
    }
  });

  it("shows the hottest layers and source lines", async () => {
    const args = ["bench", "tiny.onnx", "--iterations", "3", "--device", "cpu"];
    const { stdout } = await resnetc(args, { cwd: folder });
    expect(stdout).toMatch(/ms median, .* images\/s/);
    expect(stdout).toMatch(/conv1\.conv +Conv/);
    expect(stdout).toMatch(/tiny\.resnet:7:17/);
  });
});
