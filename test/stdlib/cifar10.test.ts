/** The demonstration: shipped weights in our compiler give PyTorch's logits, and name what the photographs show. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { compile, elaborate, parseTarget } from "../../compiler/index.js";
import { openClassifier } from "../../runtime/classification/classifier.js";
import { openSession } from "../../runtime/onnx/session.js";
import { matchedValues, matchWeights, openWeights } from "../../runtime/weights/index.js";

const TARGET = "CifarResNet(depth: 20)";
const PIXELS = 32 * 32;

interface Golden {
  readonly images: readonly { readonly class: string; readonly pixels: string; readonly logits: readonly number[] }[];
}

const path = (name: string): string => fileURLToPath(new URL(`../../${name}`, import.meta.url));

/** The network with the weights in examples/cifar10. */
async function trained(): Promise<Uint8Array> {
  const { model } = elaborate(parseTarget(TARGET));
  const source = await openWeights(path("examples/cifar10/cifar_resnet20.safetensors"));
  try {
    const weights = matchedValues(matchWeights(source, model?.graph.parameters ?? [], model?.weightMaps ?? []));
    return compile(TARGET, { weights }).onnx ?? new Uint8Array();
  } finally {
    source.close();
  }
}

describe("CifarResNet-20 with the shipped weights", async () => {
  const onnx = await trained();

  it("gives PyTorch's logits within 1e-4", async () => {
    const golden = JSON.parse(readFileSync(path("test/golden/cifar10/logits.json"), "utf8")) as Golden;
    const session = await openSession(onnx, { device: "cpu" });
    const mean = [0.4914, 0.4822, 0.4465];
    const std = [0.247, 0.2435, 0.2616];
    for (const image of golden.images) {
      const pixels = Buffer.from(image.pixels, "base64");
      const data = Float32Array.from({ length: 3 * PIXELS }, (_, i) => {
        const channel = Math.floor(i / PIXELS);
        return ((pixels[(i % PIXELS) * 3 + channel] ?? 0) / 255 - (mean[channel] ?? 0)) / (std[channel] ?? 1);
      });
      const outputs = await session.run({ image: { data, shape: [1, 3, 32, 32] } });
      const logits = outputs["logits"]?.data ?? [];
      const scale = Math.max(...image.logits.map(Math.abs));
      image.logits.forEach((logit, i) => expect(Math.abs(Number(logits[i]) - logit) / scale).toBeLessThan(1e-4));
    }
    await session.close();
  });

  it("sees a cat and a dog", async () => {
    const classifier = await openClassifier(onnx, { device: "cpu" });
    const photos = ["examples/cifar10/cat.jpg", "examples/cifar10/dog.jpg"].map(path);
    const results = await classifier.classify(photos, { top: 1 });
    await classifier.close();
    const first = results.map((result) => ("predictions" in result ? result.predictions[0]?.label : result.error));
    expect(first).toEqual(["cat", "dog"]);
  });
});
