/** Detectors without regions, and with masks, trained from data to a model: what is measured, and taken up again. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Recipe } from "../../../../compiler/index.js";
import { readMetrics } from "../../../../runtime/training/metrics.js";
import type { TrainOptions, TrainResult } from "../../../../runtime/training/request.js";
import {
  DETECTOR_NAMES,
  tinyDetector,
  tinyDetectorRecipe,
  tinyScenes,
  trainTiny,
} from "../../../support/tiny-detector-training.js";
import { lasting, stoppingAfter } from "../../../support/training-runs.js";

let root = "";
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), "resnetc-dense-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

function run(detector: string, folder: string, recipe: Partial<Recipe>, how: TrainOptions = {}): Promise<TrainResult> {
  const request = {
    model: tinyDetector("", detector),
    recipe: tinyDetectorRecipe(recipe),
    data: tinyScenes(detector === "TinyMask"),
    names: { ...DETECTOR_NAMES, target: `tiny.resnet#${detector}` },
  };
  return trainTiny({ ...request, folder: path.join(root, folder) }, how);
}

const REGIONS = [
  ...["proposal_losses.boxes", "proposal_losses.objectness"],
  ...["region_losses.boxes", "region_losses.classes"],
];

describe.each([
  ["TinyRetina", ["anchor_losses.boxes", "anchor_losses.classes"]],
  ["TinyMask", ["mask_losses.masks", ...REGIONS]],
])("training of %s", (detector, names) => {
  it("makes its losses small, and measures what it finds", async () => {
    const result = await run(detector, "run", {
      learningRate: 0.05,
      stop: { steps: 40 },
      validateEvery: 40,
      checkpointEvery: 40,
    });
    expect(result).toMatchObject({ step: 40, finished: true });
    const metrics = readMetrics(result.run.metrics);
    const steps = metrics.flatMap((each) => (each.kind === "step" ? [each] : []));
    for (const { losses } of steps) expect(Object.keys(losses!).sort()).toEqual(names);
    const mean = (values: typeof steps): number => values.reduce((sum, { loss }) => sum + loss, 0) / values.length;
    expect(mean(steps.slice(-10))).toBeLessThan(0.8 * mean(steps.slice(0, 10)));
    expect(result.test!.AP).toBeGreaterThanOrEqual(0);
    expect("maskAP" in result.test!).toBe(detector === "TinyMask");
  });

  it("is taken up again to the bit", async () => {
    await run(detector, "whole", {});
    await run(detector, "stopped", {}, stoppingAfter(3, "enough"));
    await run(detector, "stopped", {}, { resume: true });
    const [whole, stopped] = await Promise.all(
      ["whole", "stopped"].map((folder) => readFile(path.join(root, folder, "model.safetensors"))),
    );
    expect(stopped!.equals(whole!)).toBe(true);
    expect(lasting(path.join(root, "stopped"))).toEqual(lasting(path.join(root, "whole")));
  });
});

it("masks are learned from data that have them alone", async () => {
  const names = { ...DETECTOR_NAMES, target: "tiny.resnet#TinyMask" };
  const request = { model: tinyDetector("", "TinyMask"), names, folder: path.join(root, "run") };
  await expect(trainTiny(request)).rejects.toThrow(
    /no object is left to train on: left out \d+ objects without a mask/,
  );
});
