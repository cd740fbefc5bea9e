/** `compile --training` and `summary --training`. */
import { readFile } from "node:fs/promises";
import Ajv from "ajv";
import { expect, it } from "vitest";
import type { TrainingDescription } from "../../compiler/training/describe.js";
import { TINY_DETECTOR } from "../support/tiny-detector-training.js";
import { folderWith, listing, resnetc } from "./resnetc.js";

const TARGET = "CifarResNet(depth: 8)";

it("writes the four graphs of a training step, with their memory and state for programs", async () => {
  const folder = await folderWith();
  const args = ["compile", TARGET, "--training", "--batch", "4", "-o", "step", "--json"];
  const { code, stdout } = await resnetc(args, { cwd: folder });
  expect(code).toBe(0);
  const report = JSON.parse(stdout) as { state: { name: string }[]; memory: { peak: number } };
  expect(report.state.map(({ name }) => name)).toContain("momentum.conv1.conv.weight");
  expect(report.memory.peak).toBeGreaterThan(0);
  expect((await listing(`${folder}/step`)).sort()).toEqual(
    ["evaluate.onnx", "gradients.onnx", "initial.safetensors", "train.onnx", "training.json", "update.onnx"], // prettier-ignore
  );
});

it("writes them for a GPU, with the state in vectors that training.json lists", async () => {
  const folder = await folderWith();
  const args = ["compile", TARGET, "--training", "--batch", "4", "--device", "cuda", "-o", "step"];
  const { code, stderr } = await resnetc(args, { cwd: folder });
  expect(code, stderr).toBe(0);
  const description = JSON.parse(await readFile(`${folder}/step/training.json`, "utf8")) as TrainingDescription;
  expect(description.vectors!.map(({ name }) => name)).toEqual(["parameter/0", "running_statistic/0", "momentum/0"]);
  expect(description.vectors!.flatMap(({ parts }) => parts).sort()).toEqual(
    description.state.map(({ name }) => name).sort(),
  );
  expect(description.train.numbers).toEqual(["loss", "correct", "correct5"]);
  expect(description.train.writes).toEqual(["parameter/0", "running_statistic/0", "momentum/0"]);
});

it("tells the memory of a step before anything runs: less with recomputation", async () => {
  const folder = await folderWith({
    "r.resnet": `import { cifar10 } from "std/recipes"
recipe saving { optimizer sgd(momentum: 0.9)   batch 16   learning_rate 0.1   stop 10   recompute(all: true) }`,
  });
  const peak = async (...more: string[]) => {
    const args = ["summary", "CifarResNet(depth: 56)", "--training", "--batch", "16", "--json", ...more];
    const { stdout } = await resnetc(args, { cwd: folder });
    return (JSON.parse(stdout) as { training: { peak: number } }).training.peak;
  };
  expect(await peak("--recipe", "r.resnet#saving")).toBeLessThan((await peak()) / 2);
});

it("writes those of a detector, of the size that is named", async () => {
  const folder = await folderWith({ "tiny.resnet": TINY_DETECTOR });
  const args = ["compile", "tiny.resnet#Tiny", "--training", "--recipe", "tiny.resnet", "-o", "step"];
  const open = await resnetc(args, { cwd: folder });
  expect(open).toMatchObject({
    code: 2,
    stderr: "error: Tiny takes images of any size, and a training graph those of one: --input 3x480x640\n",
  });
  const { code, stderr } = await resnetc([...args, "--input", "3x48x64"], { cwd: folder });
  expect(code, stderr).toBe(0);
  const description = JSON.parse(await readFile(`${folder}/step/training.json`, "utf8")) as TrainingDescription;
  const schema = new URL("../../docs/schemas/training.schema.json", import.meta.url);
  const follows = new Ajv({ allErrors: true }).compile(JSON.parse(await readFile(schema, "utf8")) as object);
  expect(follows(description), JSON.stringify(follows.errors)).toBe(true);
  expect(description.train.inputs[0]).toMatchObject({ name: "image", shape: [4, 3, 48, 64] });
  expect(description.evaluate.inputs[0]).toMatchObject({ name: "image", shape: ["N", 3, "H", "W"] });
  const told = await resnetc(
    ["summary", "tiny.resnet#Tiny", "--training", "--recipe", "tiny.resnet", "--input", "3x48x64"],
    { cwd: folder },
  );
  expect(told.stdout).toMatch(/^a training step of 4 images takes .*; counted with 20 objects an image\)$/m);
});

it.each([
  [["compile", TARGET, "--recipe", "cifar10"], /--recipe goes with --training/],
  [["compile", TARGET, "--training", "--precision", "fp16"], /--precision does not go with --training/],
])("%j is an error of the command line", async (args, message) => {
  const { code, stderr } = await resnetc(args);
  expect(code).toBe(2);
  expect(stderr).toMatch(message);
});
