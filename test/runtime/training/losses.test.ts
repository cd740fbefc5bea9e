/** Networks that state what they are trained by. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Recipe } from "../../../compiler/index.js";
import { Averages } from "../../../cli/training-progress.js";
import { plot } from "../../../runtime/figures/plot.js";
import { readMetrics, type StepMetrics } from "../../../runtime/training/metrics.js";
import { train } from "../../../runtime/training/trainer.js";
import { NAMES, tinyData, tinyModel, tinyRecipe } from "./tiny.js";

let root = "";
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), "resnetc-losses-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function run(recipe: Partial<Recipe>, folder: string, model = "TwoHeads", resume = false) {
  const request = { model: tinyModel(model), recipe: tinyRecipe(recipe), data: await tinyData(), names: NAMES };
  await train({ ...request, folder: path.join(root, folder) }, { device: "cpu", threads: 1, sameThread: true, resume });
  const metrics = readMetrics(path.join(root, folder, "metrics.jsonl"));
  return metrics.filter((each): each is StepMetrics => each.kind === "step");
}

describe("two losses", () => {
  it("are measured by name, add up, and fall; in parts of a batch too", async () => {
    const length = { stop: { steps: 24 } };
    const whole = await run(length, "whole");
    const parts = await run({ ...length, accumulate: 2 }, "parts");
    for (const steps of [whole, parts]) {
      for (const { loss, losses } of steps) {
        expect(Object.keys(losses!)).toEqual(["aux", "head.cross_entropy"]);
        expect(Math.abs(0.3 * losses!["aux"]! + losses!["head.cross_entropy"]! - loss)).toBeLessThan(1e-5 * loss);
      }
      expect(steps.at(-1)!.losses!["aux"]!).toBeLessThan(steps[0]!.losses!["aux"]!);
    }
  });

  it("are drawn beside the error, and shown while training", async () => {
    const steps = await run({}, "run");
    const svg = plot([{ name: "run", metrics: steps }]);
    for (const text of ["aux", "head.cross_entropy", "loss, unweighted"]) expect(svg).toContain(`>${text}</text>`);
    const one = steps.map(({ losses: _losses, ...rest }) => rest);
    expect(plot([{ name: "run", metrics: one }])).not.toContain("unweighted");
    const averages = new Averages({ steps: 12, stepsPerEpoch: 5 }, 16);
    averages.add(steps[0]!);
    expect(averages.text()).toMatch(/loss [\d.]+ \(aux [\d.]+, head\.cross_entropy [\d.]+\), error/);
  });

  it("are told to be of updates alone", async () => {
    const request = {
      model: tinyModel("TwoHeads"),
      recipe: tinyRecipe({ stop: { steps: 2 } }),
      data: await tinyData(),
    };
    const notices: string[] = [];
    const options = { device: "cpu", threads: 1, sameThread: true } as const;
    await train(
      { ...request, names: NAMES, folder: path.join(root, "run") },
      { ...options, onEvent: (event) => void (event.kind === "notice" && notices.push(event.message)) },
    );
    expect(notices).toContainEqual(expect.stringMatching(/loss of validations is the cross entropy of its logits$/));
  });

  it("are part of what a training is", async () => {
    await run({ stop: { steps: 2 }, checkpointEvery: 1 }, "run");
    const without = run({ stop: { steps: 4 }, checkpointEvery: 1 }, "run", "Tiny", true);
    await expect(without).rejects.toThrow("was begun with another network");
  });
});
