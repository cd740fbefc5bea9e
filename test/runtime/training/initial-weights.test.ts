/** The weights that a training began with, where phases begin with them again. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { planPhases } from "../../../compiler/training/phase-plan.js";
import { keepInitial, readInitial } from "../../../runtime/training/initial-weights.js";
import { runFolder } from "../../../runtime/training/run-folder.js";
import { alternatingRecipe, DETECTOR_NAMES, tinyDetector, tinyScenes } from "../../support/tiny-detector-training.js";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "resnetc-initial-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it("stay those of the beginning, whatever is given when the training is taken up again", async () => {
  const model = tinyDetector();
  const recipe = alternatingRecipe();
  const bias = model.graph.parameters.find(({ role }) => role === "bias")!;
  const size = bias.value.type.shape[0] as number;
  const given = (value: number) => ({ weights: new Map([[bias.path, new Float32Array(size).fill(value)]]) });
  const run = runFolder(folder);
  const request = { model, recipe, data: tinyScenes(), names: DETECTOR_NAMES, folder };
  const session = (value?: number) => ({ request, model, run, options: value === undefined ? {} : given(value) });
  const phases = planPhases(model, recipe);
  expect(await readInitial(session())).toBeUndefined();
  await keepInitial(session(3), phases);
  await keepInitial(session(4), phases);
  await keepInitial(session(), phases);
  expect((await readInitial(session()))!.get(bias.path)![0]).toBe(3);
});
