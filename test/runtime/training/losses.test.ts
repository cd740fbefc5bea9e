/** Networks that state what they are trained by. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Recipe } from "../../../compiler/index.js";
import { Averages } from "../../../cli/training-progress.js";
import { plot } from "../../../runtime/figures/plot.js";
import { readMetrics, type Metrics, type StepMetrics } from "../../../runtime/training/metrics.js";
import { buildTraining } from "../../../compiler/training/build.js";
import { recipeOptions } from "../../../compiler/training/from-recipe.js";
import { emitTrainingGraphs } from "../../../compiler/training/graphs.js";
import { openDeviceEngine } from "../../../runtime/training/device-engine.js";
import { openFeed } from "../../../runtime/training/open-feed.js";
import { initialState } from "../../../runtime/training/initial-state.js";
import { train } from "../../../runtime/training/trainer.js";
import { NAMES, tinyData, tinyModel, tinyRecipe } from "./tiny.js";

let root = "";
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), "resnetc-losses-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function measured(recipe: Partial<Recipe>, folder: string, model = "TwoHeads", resume = false) {
  const request = { model: tinyModel(model), recipe: tinyRecipe(recipe), data: await tinyData(), names: NAMES };
  await train({ ...request, folder: path.join(root, folder) }, { device: "cpu", threads: 1, sameThread: true, resume });
  return readMetrics(path.join(root, folder, "metrics.jsonl"));
}

const stepsOf = (metrics: readonly Metrics[]): StepMetrics[] =>
  metrics.filter((each): each is StepMetrics => each.kind === "step");

const run = async (...given: Parameters<typeof measured>): Promise<StepMetrics[]> => stepsOf(await measured(...given));

async function collected<T>(all: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const each of all) list.push(each);
  return list;
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
    const metrics = await measured({}, "run");
    const steps = stepsOf(metrics);
    const svg = plot([{ name: "run", metrics }]);
    // A mark for each of three validations: of the error, and of both losses.
    expect(svg.match(/<circle/g)).toHaveLength(9);
    for (const text of ["aux", "head.cross_entropy", "loss, unweighted"]) expect(svg).toContain(`>${text}</text>`);
    const one = steps.map(({ losses: _losses, ...rest }) => rest);
    expect(plot([{ name: "run", metrics: one }])).not.toContain("unweighted");
    const averages = new Averages({ steps: 12, stepsPerEpoch: 5 }, 16);
    averages.add(steps[0]!);
    expect(averages.text()).toMatch(/loss [\d.]+ \(aux [\d.]+, head\.cross_entropy [\d.]+\), error/);
  });

  it("are those of validations too, unsmoothed and of the images' own classes, where updates mix and smooth", async () => {
    const recipe = { mixup: { alpha: 1, probability: 1 }, labelSmoothing: 0.2, stop: { steps: 6 }, emaDecay: 0.5 };
    const metrics = await measured({ ...recipe, validateRaw: true }, "run");
    const validations = metrics.filter((each) => each.kind !== "step");
    expect(validations.map(({ kind }) => kind)).toEqual(["validation", "validation", "test"]);
    for (const each of validations.flatMap((found) => [found, ...(found.raw ? [found.raw] : [])])) {
      const { aux, "head.cross_entropy": head } = each.losses!;
      expect(Math.abs(0.3 * aux! + head! - each.loss!)).toBeLessThan(1e-6 * each.loss!);
    }
    expect(validations[0]!.raw!.loss).not.toBe(validations[0]!.loss);
  });

  it("of a validation are means over its images, however they fill batches", async () => {
    const model = tinyModel("TwoHeads");
    const data = await tinyData(16, 21);
    const found = await Promise.all(
      [16, 4, 1].map(async (batch) => {
        const recipe = tinyRecipe({ batch, labelSmoothing: 0.2 });
        const program = buildTraining(model, recipeOptions(recipe));
        const engine = await openDeviceEngine(emitTrainingGraphs(program, 1), { device: "cpu", threads: 1 });
        await engine.setState(initialState(model, program.state, 0, undefined));
        const feed = await openFeed(data, recipe, 0, {});
        const [all] = await collected(feed.evaluate(data.validation, 21, true));
        const evaluated = await engine.evaluate({ images: all!.images, targets: all!.targets }, false);
        await Promise.all([feed.close(), engine.close()]);
        return { ...evaluated, labels: all!.labels };
      }),
    );
    const [{ scores, labels, stated }, ...others] = found as [(typeof found)[0], ...typeof found];
    let expected = 0;
    labels.forEach((label, image) => {
      const row = scores.subarray(10 * image, 10 * image + 10);
      expected += Math.log(row.reduce((sum, logit) => sum + Math.exp(logit), 0)) - row[label]!;
    });
    expect(stated!.losses.map(({ name }) => name)).toEqual(["aux", "head.cross_entropy"]);
    expect(stated!.losses[1]!.loss).toBeCloseTo(expected / 21, 5);
    for (const other of others) {
      expect(other.stated!.loss).toBeCloseTo(stated!.loss, 5);
      other.stated!.losses.forEach(({ loss }, at) => expect(loss).toBeCloseTo(stated!.losses[at]!.loss, 5));
      other.scores.forEach((score, at) => expect(score).toBeCloseTo(scores[at]!, 4));
    }
  });

  it("of a network inside another are passed over, which is told", async () => {
    const notices: string[] = [];
    const request = { model: tinyModel("Around"), recipe: tinyRecipe({ stop: { steps: 2 } }), data: await tinyData() };
    const { validation } = await train(
      { ...request, names: NAMES, folder: path.join(root, "run") },
      {
        ...{ device: "cpu", threads: 1, sameThread: true },
        onEvent: (event) => void (event.kind === "notice" && notices.push(event.message)),
      },
    );
    expect(notices).toContain(
      "Around: a loss of networks that are parts of it (steady) is not its own, and passed over",
    );
    expect(validation!.losses).toBeUndefined();
  });

  it("are part of what a training is", async () => {
    await run({ stop: { steps: 2 }, checkpointEvery: 1 }, "run");
    const without = run({ stop: { steps: 4 }, checkpointEvery: 1 }, "run", "Tiny", true);
    await expect(without).rejects.toThrow("was begun with another network");
  });
});
