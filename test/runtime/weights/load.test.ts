/** What commands and programs do with a weight file: one function, the same bytes. */
import fs from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { compile, elaborate, parseTarget } from "../../../compiler/index.js";
import { readModelMetadata } from "../../../runtime/model-metadata.js";
import { compileWithWeights, exportWeights, loadWeights } from "../../../runtime/weights/index.js";
import { runnable } from "../../../cli/runnable.js";
import { temporaryFolder } from "../../support/weight-files.js";
import { tensorOf, torchFile } from "../../support/torch-file.js";

const folder = temporaryFolder();
const at = (name: string) => path.join(folder, name);

const text = (channels = 3, classes = 2) => `
  preprocess theirs_preprocess { resize shorter: 16   interpolation bicubic   subtract [0.5, 0.4, 0.3] }
  weights theirs { format pytorch   rename "conv1.conv", "conv1"   rename "head.fc", "fc"   trained_with theirs_preprocess }
  network Tiny {
    input image ${channels}x8x8   weights theirs
    stage conv1 { conv 1x1, 2 }
    stage head { global_avg_pool   fc ${classes} }
  }
`;
const tiny = (channels?: number, classes?: number) =>
  elaborate({ file: "tiny.resnet" }, { host: { read: () => text(channels, classes) } }).model!;
const weights = {
  "conv1.weight": { shape: [2, 3, 1, 1], values: Float32Array.of(1, 2, 3, 4, 5, 6) },
  "fc.weight": tensorOf([2, 2], 7),
  "fc.bias": tensorOf([2], 8),
};
fs.writeFileSync(at("bare.pth"), torchFile(weights, "pth"));
fs.writeFileSync(
  at("wrapped.safetensors"),
  torchFile({ model: { module: weights }, epoch: tensorOf([], 3) }, "safetensors"),
);

describe("the same weights", () => {
  test("give the same bytes, however a file has them", async () => {
    const input = { files: { "tiny.resnet": text() }, entry: "tiny.resnet" };
    const [bare, wrapped] = [
      await compileWithWeights(input, at("bare.pth")),
      await compileWithWeights(input, at("wrapped.safetensors")),
    ];
    expect(Buffer.from(wrapped.onnx!).equals(bare.onnx!)).toBe(true);
    expect(wrapped.weights?.report).toMatchObject({ stateDict: "model.module", passedOver: "epoch", loaded: 3 });
    expect(readModelMetadata(bare.onnx!, "tiny")).toMatchObject({
      preprocess: { name: "theirs_preprocess", interpolation: "bicubic" },
      weights: { from: "given" },
    });
  });

  test.each([
    ["ResNet50D", "timm_resnet_d"],
    ["SEResNet50", "timm_seresnet"],
  ])(
    "of %s are compiled by commands and programs alike",
    async (target, names) => {
      const model = elaborate(parseTarget(target)).model!;
      const zeros = new Map(
        model.graph.parameters.map(({ path: name, value }) => {
          const size = (value.type.shape as readonly number[]).reduce((product, length) => product * length, 1);
          return [name, new Float32Array(size).fill(0.5)];
        }),
      );
      const file = at(`${target}.pth`);
      await exportWeights(
        file,
        model.graph.parameters,
        zeros,
        model.weightMaps.find(({ name }) => name === names),
        "pth",
      );
      const command = await runnable(target, { weights: file });
      const { onnx, weights: said } = await compileWithWeights(target, file);
      expect(Buffer.from(onnx!).equals(command as Uint8Array)).toBe(true);
      expect(said?.report.preprocess).toEqual({ name: "timm", from: "weights" });
    },
    120_000,
  );

  test("without any, a model says that they are random", () => {
    const { onnx } = compile({ files: { "tiny.resnet": text() }, entry: "tiny.resnet" });
    expect(readModelMetadata(onnx!, "tiny").weights).toEqual({ from: "random" });
  });
});

describe("on request", () => {
  test("a head of another size begins anew, and nothing else may differ", async () => {
    await expect(loadWeights(tiny(3, 5), at("bare.pth"))).rejects.toThrow(
      /the file has 2 classes, the network 5\n.*--new-head/,
    );
    const loaded = await loadWeights(tiny(3, 5), at("bare.pth"), { newHead: true });
    expect(loaded.report).toMatchObject({ loaded: 1, fresh: ["head.fc.weight", "head.fc.bias"], misshaped: [] });
    expect(loaded.emit.origin).toEqual({ from: "given", random: ["head.fc"] });
    expect(loaded.values.get("head.fc.weight")).toBeUndefined();
    loaded.close();
    await expect(loadWeights(tiny(1, 5), at("bare.pth"), { newHead: true })).rejects.toThrow(/conv1\.conv\.weight is/);
  });

  test.each([
    [1, [6, 15]],
    [2, [1.5, 3, 6, 7.5]],
    [4, [0.75, 1.5, 2.25, 0.75, 3, 3.75, 4.5, 3]],
  ])("a first convolution is made for %i channels, as timm makes it", async (channels, expected) => {
    await expect(loadWeights(tiny(channels), at("bare.pth"))).rejects.toThrow(/--adapt-input/);
    const loaded = await loadWeights(tiny(channels), at("bare.pth"), { adaptInput: true });
    expect([...loaded.values.get("conv1.conv.weight")!]).toEqual(expected);
    expect(loaded.notes.join("\n")).toMatch(/conv1\.conv\.weight \[2, \d, 1, 1\] is made of \[2, 3, 1, 1\]/);
    loaded.close();
  });
});
