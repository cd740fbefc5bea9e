/**
 * Mixed precision on the processor, where ONNX Runtime computes fp16 operations in fp32 and rounds what comes out: the
 * numbers are those of fp16 storage, sums within an operation are more exact than a device's may be.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { valuesOf, type ParameterValues } from "../../../compiler/emit/parameters.js";
import type { Recipe } from "../../../compiler/index.js";
import type { Parameter } from "../../../compiler/ir/types.js";
import { buildTraining } from "../../../compiler/training/build.js";
import { recipeOptions } from "../../../compiler/training/from-recipe.js";
import { newestCheckpoint } from "../../../runtime/training/checkpoint.js";
import { LOSS_SCALE_START } from "../../../runtime/training/loss-scale.js";
import { readMetrics, type StepMetrics } from "../../../runtime/training/metrics.js";
import { train } from "../../../runtime/training/trainer.js";
import { NAMES, tinyData, tinyModel, tinyRecipe } from "./tiny.js";

let root = "";
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), "resnetc-mixed-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

async function updates(
  folder: string,
  recipe: Partial<Recipe>,
  steps = 12,
  weights?: ParameterValues,
): Promise<StepMetrics[]> {
  const { run } = await train(
    {
      model: tinyModel(),
      recipe: tinyRecipe({ stop: { steps }, checkpointEvery: 1, validateEvery: steps, ...recipe }),
      data: await tinyData(),
      folder: path.join(root, folder),
      names: NAMES,
    },
    { device: "cpu", threads: 1, sameThread: true, ...(weights && { weights }) },
  );
  return readMetrics(run.metrics).filter((each): each is StepMetrics => each.kind === "step");
}

describe("training in mixed precision", () => {
  it.each<[string, Partial<Recipe>]>([
    ["with momentum", {}],
    ["in several parts, with clipping and AdamW", { accumulate: 2, clipNorm: 1, optimizer: { kind: "adamw" } }],
  ])("has fp32's losses but for the rounding, %s", async (_, recipe) => {
    const exact = await updates("fp32", recipe);
    const mixed = await updates("mixed", { ...recipe, precision: "mixed" });
    const apart = mixed.map(({ loss }, step) => Math.abs(loss / exact[step]!.loss - 1));
    // fp16 has 11 bits: 5e-4.
    expect(Math.max(...apart)).toBeLessThan(5e-3);
    expect(Math.max(...apart)).toBeGreaterThan(1e-6);
    expect(mixed.map(({ lossScale }) => lossScale)).toEqual(mixed.map(() => LOSS_SCALE_START.scale));
    expect(exact.some(({ lossScale }) => lossScale !== undefined)).toBe(false);
  });

  /** Gradients of features are multiplied by the weights of the layer after them. */
  const steep = (factor: number): ParameterValues => {
    const { parameters } = tinyModel().graph;
    const values = (parameter: Parameter): Float32Array => valuesOf(parameter, undefined, 0).map((w) => w * factor);
    return new Map(parameters.filter(({ path }) => path === "head.fc.weight").map((each) => [each.path, values(each)]));
  };
  const checkpoint = async (folder: string) => {
    const { state } = buildTraining(tinyModel(), recipeOptions(tinyRecipe()));
    return (await newestCheckpoint(path.join(root, folder, "checkpoints"), state))!.checkpoint;
  };

  it("leaves weights and momenta as they are where a gradient overflows, and scales the loss less", async () => {
    const weights = steep(1000);
    const recipe = { precision: "mixed", learningRate: 1e-6 } as const;
    const made = await updates("run", recipe, 12, weights);
    const skipped = made.filter((each) => each.skipped).length;
    expect(skipped).toBeGreaterThan(1);
    expect(skipped).toBeLessThan(10);
    made.forEach(({ skipped: was, lossScale, loss }, step) => {
      expect(was === true, `update ${step}`).toBe(step < skipped);
      expect(lossScale).toBe(LOSS_SCALE_START.scale / 2 ** Math.min(step, skipped));
      expect(loss).toBeLessThan(Infinity);
    });
    await updates("skipped", recipe, skipped, weights);
    const after = await checkpoint("skipped");
    expect(after.position.lossScale).toEqual({ scale: LOSS_SCALE_START.scale / 2 ** skipped, good: 0 });
    for (const [name, values] of after.state) {
      const { init } = buildTraining(tinyModel(), recipeOptions(tinyRecipe())).state.find((e) => e.name === name)!;
      if (init.kind === "constant" && !name.includes("running")) {
        expect(
          values.every((value) => value === init.value),
          name,
        ).toBe(true);
      }
    }
    expect(after.state.get("head.fc.weight")).toEqual(weights.get("head.fc.weight"));
    expect((await checkpoint("run")).state.get("momentum.head.fc.weight")!.some((value) => value !== 0)).toBe(true);
  });

  it("ends where gradients overflow though the loss is not scaled any more", async () => {
    await expect(updates("run", { precision: "mixed", learningRate: 1e-6 }, 40, steep(1e9))).rejects.toThrow(
      /^step \d+: a gradient is not finite in fp16, though the loss is not scaled any more; try .*precision fp32$/,
    );
  });
});
