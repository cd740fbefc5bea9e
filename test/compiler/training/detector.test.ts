/**
 * Training of torchvision's detector: its four losses, their gradients, and ten updates, beside torchvision's own
 * (test/oracle/detector_losses_golden.py), from the same weights, images, anchors and regions.
 */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { elaborate, memoryHost, parseTarget } from "../../../compiler/index.js";
import { buildTraining } from "../../../compiler/training/build.js";
import { differences, subjectOf, type LossesGolden } from "../../support/detector-golden.js";
import { openDetectorTraining } from "../../support/detector-session.js";
import { maskRcnnSource } from "../../support/maskrcnn-golden.js";
import { fasterRcnnSource } from "../../support/fasterrcnn-golden.js";

interface Golden extends LossesGolden {
  readonly rate: number;
  readonly steps: readonly Readonly<Record<string, number>>[];
}

const file = new URL("../../golden/fasterrcnn-training/two.json", import.meta.url);
const golden = JSON.parse(readFileSync(file, "utf8")) as Golden;

describe("torchvision's detector is trained as torchvision trains it", () => {
  const source = fasterRcnnSource({ ranges: golden.ranges, epsilon: 1e-5 });
  const subject = subjectOf("FasterRCNN_FPN(learned: 300)", source, golden, ["body.conv1", "body.conv2"]);
  const { program, batch, weights } = subject;

  it(
    "has its four losses, and gradients no further from float64 than three times its own",
    { timeout: 120_000 },
    async () => {
      const session = await openDetectorTraining(program.gradients, weights);
      const outputs = await session.run(batch, 0);
      await session.close();
      const { loss, gradients, unmatched } = differences(subject, outputs, golden);
      expect(loss).toBeLessThan(1e-4);
      expect(gradients).toBeLessThan(3);
      expect(unmatched).toEqual([]);
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

describe("torchvision's Mask R-CNN is trained as torchvision trains it", () => {
  it(
    "has its five losses, and gradients no further from float64 than three times its own",
    { timeout: 300_000 },
    async () => {
      const masks = JSON.parse(
        readFileSync(new URL("../../golden/fasterrcnn-training/masks.json", import.meta.url), "utf8"),
      ) as LossesGolden;
      const host = memoryHost({ "mask.resnet": MASKS });
      const subject = subjectOf("mask.resnet#Masks", maskRcnnSource(masks), masks, ["body.conv1", "body.conv2"], host);
      const session = await openDetectorTraining(subject.program.gradients, subject.weights);
      const outputs = await session.run(subject.batch, 0);
      await session.close();
      const { loss, gradients, unmatched } = differences(subject, outputs, masks);
      expect(loss).toBeLessThan(1e-4);
      expect(gradients).toBeLessThan(3);
      expect(unmatched).toEqual([]);
    },
  );
});

/** As many regions as the golden's script has. */
const MASKS = `import { MaskRCNN_FPN } from "std/detectors"
import { torchvision_detection } from "std/dialects"
detector Masks = MaskRCNN_FPN(learned: 300, rules: torchvision_detection(regions: 32))`;

describe("standard detectors", () => {
  it.each([
    ["FasterRCNN_ResNet50", 4],
    ["FasterRCNN_ResNet101_Context", 4],
    ["FasterRCNN_VGG16", 4],
    ["Detectron2_R50_C4", 4],
    ["FasterRCNN_ResNet50_FPN", 4],
    ["ProposalNetwork", 2],
    ["MaskRCNN_ResNet50_FPN", 5],
    ["RetinaNet_ResNet50_FPN", 2],
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
