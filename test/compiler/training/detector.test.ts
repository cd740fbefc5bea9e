/**
 * Training of torchvision's detector: its four losses, their gradients, and ten updates, beside torchvision's own
 * (test/oracle/detector_losses_golden.py), from the same weights, images, anchors and regions.
 */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { elaborate, parseTarget } from "../../../compiler/index.js";
import { buildTraining } from "../../../compiler/training/build.js";
import { matchedValues, matchWeights } from "../../../runtime/weights/index.js";
import { openDetectorTraining, type DetectorBatch, type TrainingObject } from "../../support/detector-session.js";
import { fasterRcnnSource, fasterRcnnTensor } from "../../support/fasterrcnn-golden.js";
import { uniform, type Ranges } from "../../support/oracle-weights.js";

interface Computed {
  readonly losses: Readonly<Record<string, number>>;
  /** By torchvision's names: the norm, and products with random vectors. */
  readonly gradients: Readonly<Record<string, readonly number[]>>;
}

interface Golden {
  readonly images: readonly { readonly name: string; readonly size: readonly [number, number] }[];
  readonly canvas: readonly number[];
  readonly objects: readonly (readonly TrainingObject[])[];
  readonly ranges: Ranges;
  readonly rate: number;
  readonly float32: Computed;
  readonly float64: Computed;
  readonly steps: readonly Readonly<Record<string, number>>[];
}

const file = new URL("../../golden/fasterrcnn-training/two.json", import.meta.url);
const golden = JSON.parse(readFileSync(file, "utf8")) as Golden;

const batch: DetectorBatch = {
  image: fasterRcnnTensor({
    input: { images: golden.images, tensor: true },
    image: { shape: golden.canvas, mean: 0, absMax: 0, values: [] },
  }),
  shape: golden.canvas,
  sizes: golden.images.map(({ size }) => size),
  objects: golden.objects,
};

/** The model, its weights by path, and torchvision's names of them. */
function subject() {
  const { model } = elaborate(parseTarget("FasterRCNN_FPN(learned: 300)"));
  const source = fasterRcnnSource({ ranges: golden.ranges, epsilon: 1e-5 });
  const match = matchWeights(source, model!.graph.parameters, model!.weightMaps);
  const values = matchedValues(match);
  const program = buildTraining(model!, {
    optimizer: { kind: "sgd", momentum: 0.9, weightDecay: 1e-4 },
    batch: golden.canvas[0]!,
    sizes: { H: golden.canvas[2]!, W: golden.canvas[3]! },
    frozenBatchNorm: true,
    frozenStages: ["body.conv1", "body.conv2"],
  });
  return {
    program,
    weights: (path: string) => values.get(path)!,
    theirs: (path: string) => match.origins.get(path)!.tensors[0]!,
  };
}

describe("torchvision's detector is trained as torchvision trains it", () => {
  const { program, weights, theirs } = subject();

  it(
    "has its four losses, and gradients no further from float64 than three times its own",
    { timeout: 120_000 },
    async () => {
      const session = await openDetectorTraining(program.gradients, weights);
      const outputs = await session.run(batch, 0);
      await session.close();
      for (const [name, expected] of Object.entries(golden.float32.losses)) {
        expect(Math.abs(outputs[`loss.${name}`]![0]! / expected - 1), name).toBeLessThan(1e-4);
      }
      let [own, torch] = [0, 0];
      const missing = new Set(Object.keys(golden.float64.gradients));
      for (const { path } of program.trained) {
        const name = theirs(path);
        missing.delete(name);
        const [norm, ...exact] = golden.float64.gradients[name]!;
        const [, ...single] = golden.float32.gradients[name]!;
        const gradient = outputs[`gradient.${path}`]!;
        exact.forEach((product, index) => {
          const direction = uniform(`direction${index}`, gradient.length, -1, 1);
          const found = gradient.reduce((sum, value, at) => sum + value * direction[at]!, 0);
          own += ((found - product) / norm!) ** 2;
          torch += ((single[index]! - product) / norm!) ** 2;
        });
      }
      expect([...missing]).toEqual([]);
      expect(Math.sqrt(own / torch)).toBeLessThan(3);
    },
  );

  it("follows its losses through ten updates", { timeout: 240_000 }, async () => {
    const session = await openDetectorTraining(program.train, weights);
    for (const [step, expected] of golden.steps.entries()) {
      const outputs = await session.run(batch, step, golden.rate);
      for (const [name, value] of Object.entries(expected)) {
        expect(Math.abs(outputs[`loss.${name}`]![0]! / value - 1), `${name} of step ${step}`).toBeLessThan(1e-2);
      }
    }
    await session.close();
  });
});

describe("standard detectors", () => {
  it.each([
    ["FasterRCNN_ResNet50", 4],
    ["FasterRCNN_ResNet101_Context", 4],
    ["FasterRCNN_VGG16", 4],
    ["Detectron2_R50_C4", 4],
    ["FasterRCNN_ResNet50_FPN", 4],
    ["ProposalNetwork", 2],
  ])("%s is trained by %i losses", (name, losses) => {
    const { model } = elaborate(parseTarget(name));
    const optimizer = { kind: "sgd" } as const;
    const { train } = buildTraining(model!, { optimizer, batch: 1, sizes: { H: 64, W: 96 } });
    const stated = train.graph.outputs.filter(({ name }) => name.startsWith("loss."));
    expect(stated.length).toBe(losses);
  });
});

describe("a detector whose head has batch norms", () => {
  it("moves their statistics by the regions that it learns from alone", () => {
    const { model } = elaborate(parseTarget("FasterRCNN_ResNet50"));
    const optimizer = { kind: "sgd" } as const;
    const { train } = buildTraining(model!, { optimizer, batch: 1, sizes: { H: 64, W: 64 } });
    const averages = train.graph.nodes.filter(({ op }) => op === "running_average");
    const statistics = model!.graph.parameters.filter(({ trainable }) => !trainable);
    expect(averages.length).toBe(statistics.length);
    expect(train.graph.nodes.filter(({ op }) => op === "batched_nms" || op === "box_vote")).toEqual([]);
  });
});
