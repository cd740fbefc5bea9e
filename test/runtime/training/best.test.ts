/** What a training ends in, and that the best of it can't get lost. */
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { emitModel } from "../../../compiler/compile.js";
import { concat } from "../../../compiler/emit/onnx.js";
import { elaborate, parseTarget, type Recipe } from "../../../compiler/index.js";
import type { DataSet, Split } from "../../../runtime/data/index.js";
import { evaluateModel } from "../../../runtime/classification/evaluate.js";
import { bestFile } from "../../../runtime/training/checkpoint.js";
import { readMetrics } from "../../../runtime/training/metrics.js";
import { subtractingMean } from "../../../compiler/mean-image.js";
import { train } from "../../../runtime/training/trainer.js";
import { type TrainEvent, type TrainOptions, type TrainResult } from "../../../runtime/training/request.js";
import { loadWeights, openWeights, readTrained } from "../../../runtime/weights/index.js";
import { NAMES, tinyData, tinyHost, tinyModel, tinyRecipe } from "./tiny.js";

let root = "";
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), "resnetc-best-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

interface Given extends TrainOptions {
  readonly recipe?: Partial<Recipe>;
  readonly named?: string;
  readonly data?: DataSet;
  readonly folder?: string;
  readonly network?: string;
}

async function run({ recipe, named, data, network, folder = "run", ...options }: Given = {}): Promise<TrainResult> {
  const request = {
    model: tinyModel(network),
    recipe: tinyRecipe(recipe, named),
    data: data ?? (await tinyData()),
    names: NAMES,
  };
  return train(
    { ...request, folder: path.join(root, folder) },
    { device: "cpu", threads: 1, sameThread: true, ...options },
  );
}

const checkpoints = (folder = "run"): string => path.join(root, folder, "checkpoints");
const bytes = (file: string): Promise<Buffer> => readFile(path.join(root, file));

/** A rate at which the best is not the last. */
const UNSTEADY: Partial<Recipe> = { learningRate: 0.6, schedule: { kind: "constant" }, stop: { steps: 24 } };

describe("the model of a training", () => {
  it.each<[string, Given]>([
    ["as it is", { recipe: UNSTEADY }],
    ["with averaged weights", { recipe: { ...UNSTEADY, emaDecay: 0.7 } }],
    ["with a mean image", { recipe: { ...UNSTEADY, validateEvery: 4 }, named: "with_mean" }],
    ["with a mean image that was cut", { recipe: { ...UNSTEADY, validateEvery: 4 }, named: "with_cut_mean" }],
  ])("is that of the best checkpoint where that is asked for, %s", async (_, given) => {
    const last = await run(given);
    expect(last.exported).toEqual({ from: "last", step: 24 });
    const validations = readMetrics(last.run.metrics).flatMap((each) => (each.kind === "validation" ? [each] : []));
    const lowest = Math.min(...validations.map(({ error }) => error!));
    const best = validations.find(({ error }) => error === lowest)!;
    expect(last.best).toEqual({ step: best.step, error: best.error });
    const data = await tinyData();
    const again = await run({ ...given, resume: true, best: true });
    expect(again.exported).toEqual({ from: "best", step: best.step, error: best.error });
    const measured = await evaluateModel(again.run.model, data, data.validation, { device: "cpu" });
    expect(measured.error).toBeCloseTo(best.error!, 10);
    // In one go it is the same.
    const whole = await run({ ...given, folder: "whole", best: true });
    expect(whole.exported).toEqual(again.exported);
    expect(await bytes("whole/model.safetensors")).toEqual(await bytes("run/model.safetensors"));
    expect(await bytes("whole/model.onnx")).toEqual(await bytes("run/model.onnx"));
    // And so is what its checkpoint compiles to: the validated weights, labels, preprocessing and mean image.
    const loaded = await loadWeights(tinyModel(), bestFile(checkpoints("whole")));
    const { chunks, byteLength } = emitModel(loaded.model, loaded.emit);
    expect(loaded.warnings).toEqual([]);
    expect(loaded.report).toMatchObject({ stateDict: given.recipe?.emaDecay === undefined ? "." : "ema" });
    expect(Buffer.from(concat(chunks, byteLength)).equals(await bytes("whole/model.onnx"))).toBe(true);
    const crops = evaluateModel(again.run.model, data, data.validation, { device: "cpu", crops: 10 });
    if (given.named === "with_cut_mean") await expect(crops).rejects.toThrow("cut with the middle of the image");
    else expect((await crops).images).toBe(measured.images);
    loaded.close();
  });

  it.each<[string, Given]>([
    ["as it is", { recipe: UNSTEADY }],
    ["with averaged weights", { recipe: { ...UNSTEADY, emaDecay: 0.7 } }],
    ["with a mean image", { recipe: { ...UNSTEADY, validateEvery: 4 }, named: "with_mean" }],
  ])("can be made of the best checkpoint's file alone, %s", async (_, given) => {
    const result = await run(given);
    const source = await openWeights(bestFile(checkpoints()));
    const trained = readTrained(source)!;
    const model = tinyModel();
    const weights = new Map(
      model.graph.parameters.map(({ path: at }) => [at, source.read(`${trained.prefix}${at}`)] as const),
    );
    source.close();
    const data = await tinyData();
    expect(trained).toMatchObject({ network: "Tiny", labels: data.classes, meanImageElsewhere: false });
    const whole = trained.meanImage ? subtractingMean(model, trained.meanImage) : model;
    const { chunks, byteLength } = emitModel(whole, {
      weights,
      labels: trained.labels,
      preprocess: trained.preprocess,
    });
    const measured = await evaluateModel(concat(chunks, byteLength), data, data.validation, { device: "cpu" });
    expect(measured.error).toBeCloseTo(result.best!.error!, 10);
    const ended = await openWeights(result.run.weights);
    expect(readTrained(ended)).toMatchObject({ prefix: "", meanImageElsewhere: given.named === "with_mean" });
    ended.close();
  });

  it("has the size of the mean image where its network takes any, which is said", async () => {
    const said: string[] = [];
    const onEvent = (event: TrainEvent): void => {
      if (event.kind === "notice") said.push(event.message);
    };
    const { run: made } = await run({ named: "with_mean", network: "AnySize", onEvent });
    const line = "AnySize: a mean image is subtracted, so the model's input is 3x32x32 in place of 3xHxW";
    expect(said).toContain(line);
    const newest = path.join(made.checkpoints, "step-6.safetensors");
    const loaded = await loadWeights(tinyModel("AnySize"), newest);
    expect(loaded.warnings).toEqual([line]);
    const { chunks, byteLength } = emitModel(loaded.model, loaded.emit);
    expect(Buffer.from(concat(chunks, byteLength)).equals(await readFile(made.model))).toBe(true);
    loaded.close();
    const { model: larger } = elaborate(parseTarget("tiny.resnet#AnySize"), {
      host: tinyHost,
      input: [3, 64, 64],
    });
    await expect(loadWeights(larger!, newest)).rejects.toThrow(
      /safetensors: AnySize: a mean image 3x32x32 is subtracted, which does not fit the input 3x64x64$/,
    );
  });

  it("is not asked of a best without validation images", async () => {
    const data = await tinyData();
    const none: Split = { ...data.validation, size: 0 };
    await expect(run({ data: { ...data, validation: none }, best: true })).rejects.toThrow("has no validation images");
    expect(existsSync(path.join(root, "run"))).toBe(false);
  });
});

describe("the best checkpoint", () => {
  const upTo = (step: number): Pick<TrainOptions, "signal" | "onEvent"> => {
    const stop = new AbortController();
    return {
      signal: stop.signal,
      onEvent: (event) => event.kind === "step" && event.metrics.step === step && stop.abort(),
    };
  };

  it("takes no room of its own, and leaves nothing else behind", async () => {
    await run();
    const names = await readdir(checkpoints());
    expect(names.filter((name) => name.endsWith(".tmp"))).toEqual([]);
    expect(names).toContain("best.safetensors");
  });

  it("is named when training goes on, where a killed process did not get to it", async () => {
    await run({ folder: "whole" });
    await run(upTo(5));
    // As after a kill between the two.
    await rm(bestFile(checkpoints()));
    const warnings: string[] = [];
    const onEvent = (event: TrainEvent): unknown => event.kind === "warning" && warnings.push(event.message);
    const result = await run({ resume: true, ...upTo(6), onEvent });
    expect(warnings).toEqual([]);
    expect(result.best?.step).toBe(4);
    const source = await openWeights(bestFile(checkpoints()));
    expect(source.metadata["resnetc.checkpoint"]).toContain('"position":{"step":4,');
    source.close();
    const ended = await run({ resume: true });
    const whole = await run({ folder: "whole", resume: true });
    expect(ended.best).toEqual(whole.best);
  });

  it("that was lost is told of, and forgotten: the next validation is the best", async () => {
    await run(upTo(11));
    await rm(bestFile(checkpoints()));
    await rm(path.join(checkpoints(), "step-4.safetensors"), { force: true });
    await rm(path.join(checkpoints(), "step-8.safetensors"), { force: true });
    const warnings: string[] = [];
    const onEvent = (event: TrainEvent): unknown => event.kind === "warning" && warnings.push(event.message);
    const result = await run({ resume: true, onEvent });
    expect(warnings).toEqual([expect.stringMatching(/the best checkpoint, after \d updates, is not there any more/)]);
    expect(result.best?.step).toBe(12);
    expect(existsSync(bestFile(checkpoints()))).toBe(true);
  });

  it("that is another than the one that was remembered counts as what it is", async () => {
    await run(upTo(5));
    const kept = path.join(root, "kept");
    await rename(bestFile(checkpoints()), kept);
    await run({ resume: true, recipe: { stop: { steps: 40 } }, ...upTo(37) });
    const names = await readdir(checkpoints());
    await rename(kept, bestFile(checkpoints()));
    const warnings: string[] = [];
    const onEvent = (event: TrainEvent): unknown => event.kind === "warning" && warnings.push(event.message);
    const result = await run({ resume: true, recipe: { stop: { steps: 37 } }, onEvent });
    const found = await openWeights(bestFile(checkpoints()));
    const { position } = JSON.parse(found.metadata["resnetc.checkpoint"]!) as { position: { step: number } };
    found.close();
    // Whatever the numbers were, what is said and what is there agree.
    expect(result.best?.step, names.join()).toBe(position.step);
  });
});
