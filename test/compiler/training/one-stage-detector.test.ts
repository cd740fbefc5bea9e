/**
 * Training of torchvision's one-stage detectors: their losses and gradients beside torchvision's own
 * (test/oracle/one_stage_losses_golden.py), from the same weights, images and objects.
 */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { differences, subjectOf, type LossesGolden } from "../../support/detector-golden.js";
import { openDetectorTraining } from "../../support/detector-session.js";
import { oneStageSource } from "../../support/one-stage-golden.js";

function goldenOf(detector: string): LossesGolden {
  const file = new URL(`../../golden/one-stage-training/${detector}.json`, import.meta.url);
  return JSON.parse(readFileSync(file, "utf8")) as LossesGolden;
}

const BODY = ["body.conv1", "body.conv2"];

describe("torchvision's one-stage detectors are trained as torchvision trains them", () => {
  it.each([["retinanet", "RetinaNet", BODY]])(
    "%s: losses, and gradients no further from float64 than three times its own",
    { timeout: 120_000 },
    async (name, target, frozen) => {
      const golden = goldenOf(name);
      const subject = subjectOf(target, oneStageSource(name, { ranges: golden.ranges, epsilon: 1e-5 }), golden, frozen);
      const session = await openDetectorTraining(subject.program.gradients, subject.weights);
      const outputs = await session.run(subject.batch, 0);
      await session.close();
      const { loss, gradients, unmatched } = differences(subject, outputs, golden);
      expect(loss).toBeLessThan(1e-4);
      expect(gradients).toBeLessThan(3);
      expect(unmatched).toEqual([]);
    },
  );
});
