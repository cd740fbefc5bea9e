/** `compile --training` and `summary --training`. */
import { expect, it } from "vitest";
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

it.each([
  [["compile", TARGET, "--recipe", "cifar10"], /--recipe goes with --training/],
  [["compile", TARGET, "--training", "--precision", "fp16"], /--precision does not go with --training/],
])("%j is an error of the command line", async (args, message) => {
  const { code, stderr } = await resnetc(args);
  expect(code).toBe(2);
  expect(stderr).toMatch(message);
});
