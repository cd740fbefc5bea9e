import { readdir, readFile, writeFile } from "node:fs/promises";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Recipe } from "../../../compiler/index.js";
import { concat, emitOnnx } from "../../../compiler/emit/onnx.js";
import { INFERENCE_PASSES, runPasses } from "../../../compiler/passes/index.js";
import { recipeOptions } from "../../../compiler/training/from-recipe.js";
import { evaluateModel } from "../../../runtime/classification/evaluate.js";
import { openSession } from "../../../runtime/onnx/session.js";
import { listCheckpoints } from "../../../runtime/training/checkpoint.js";
import { openFeed } from "../../../runtime/training/open-feed.js";
import { readMetrics } from "../../../runtime/training/metrics.js";
import { train } from "../../../runtime/training/trainer.js";
import { type TrainEvent, type TrainOptions, type TrainResult } from "../../../runtime/training/request.js";
import { tune } from "../../../runtime/tuning/tune.js";
import { openWeights } from "../../../runtime/weights/index.js";
import { NAMES, tinyData, tinyModel, tinyRecipe } from "./tiny.js";
import { lasting as lastingIn, stoppingAfter } from "../../support/training-runs.js";

let root = "";
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), "resnetc-train-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

interface Given extends TrainOptions {
  readonly model?: string;
  readonly recipe?: Partial<Recipe>;
  readonly named?: string;
  readonly folder?: string;
}

async function run({ model, recipe, named, folder = "run", ...options }: Given = {}): Promise<TrainResult> {
  return train(
    {
      model: tinyModel(model),
      recipe: tinyRecipe(recipe, named),
      data: await tinyData(),
      folder: path.join(root, folder),
      names: NAMES,
    },
    { device: "cpu", threads: 1, sameThread: true, ...options },
  );
}

const lasting = (folder: string): unknown[] => lastingIn(path.join(root, folder));

const bytes = (folder: string, file: string): Promise<Buffer> => readFile(path.join(root, folder, file));

describe("training", () => {
  it("writes metrics, checkpoints, weights, and a model whose error is the one that was measured", async () => {
    const events: TrainEvent[] = [];
    const result = await run({ recipe: { stop: { steps: 40 } }, onEvent: (event) => events.push(event) });
    expect(result).toMatchObject({ step: 40, finished: true, unreadable: 0 });
    const steps = readMetrics(result.run.metrics).flatMap((each) => (each.kind === "step" ? [each.loss] : []));
    expect(steps).toHaveLength(40);
    const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(mean(steps.slice(-10))).toBeLessThan(mean(steps.slice(0, 10)) - 0.02);
    expect((await readdir(path.join(root, "run"))).sort()).toEqual([
      "checkpoints",
      "config.json",
      expect.stringMatching(/^events\.out\.tfevents/),
      "metrics.jsonl",
      "model.onnx",
      "model.safetensors",
      "training.log",
    ]);
    expect(await listCheckpoints(path.join(root, "run/checkpoints"))).toHaveLength(2);
    expect(events.filter((event) => event.kind === "checkpoint").length).toBeGreaterThanOrEqual(10);
    const data = await tinyData();
    const measured = await evaluateModel(result.run.model, data, data.test!, { device: "cpu" });
    expect(measured.error).toBeCloseTo(result.test!.error!, 10);
    expect(measured.error5).toBeCloseTo(result.test!.error5!, 10);
  });

  it("that was stopped and taken up again is the uninterrupted one, bit for bit", async () => {
    const threads = 2;
    await run({ folder: "whole", threads });
    for (const stop of [3, 5, 8]) {
      const folder = `stopped-${stop}`;
      const first = await run({ folder, threads, ...stoppingAfter(stop) });
      expect(first).toMatchObject({ finished: false, step: stop });
      const second = await run({ folder, threads, resume: true });
      expect(second).toMatchObject({ finished: true, step: 12 });
      expect(await bytes(folder, "model.safetensors")).toEqual(await bytes("whole", "model.safetensors"));
      expect(await bytes(folder, "model.onnx")).toEqual(await bytes("whole", "model.onnx"));
      expect(lasting(folder)).toEqual(lasting("whole"));
    }
  });

  it("goes on as it was measured when it began, whatever was measured since", async () => {
    const { operations } = await tune(tinyModel(), recipeOptions(tinyRecipe()), {
      device: "cpu",
      threads: 1,
      file: path.join(root, "methods.json"),
      measure: () => Promise.resolve(1),
    });
    // Everything as it is not estimated, of convolutions and their gradients; and a choice of another network's.
    const algorithms = Object.fromEntries(
      operations.flatMap(({ key, estimate, seconds }) => {
        const other = Object.keys(seconds).find((method) => method !== estimate);
        return other === undefined ? [] : [[key, other]];
      }),
    );
    const elsewhere = { "cpu/0; conv; of another network": "plain" };
    const tuned: number[] = [];
    const onEvent = (event: TrainEvent): unknown => event.kind === "start" && tuned.push(event.tuned);
    await run({ folder: "estimated" });
    await run({ folder: "whole", algorithms: { ...algorithms, ...elsewhere }, onEvent });
    await run({ folder: "half", algorithms, ...stoppingAfter(6) });
    await run({ folder: "half", algorithms: elsewhere, resume: true, onEvent });
    expect(tuned).toEqual([operations.length, operations.length]);
    const weights = await bytes("whole", "model.safetensors");
    expect(await bytes("half", "model.safetensors")).toEqual(weights);
    expect(lasting("half")).toEqual(lasting("whole"));
    // They round otherwise: it matters.
    expect(await bytes("estimated", "model.safetensors")).not.toEqual(weights);
    await run({ folder: "half of estimated", ...stoppingAfter(6) });
    await run({ folder: "half of estimated", algorithms, resume: true });
    expect(await bytes("half of estimated", "model.safetensors")).toEqual(
      await bytes("estimated", "model.safetensors"),
    );
  });

  it("gives the same with any number of data threads and at every repetition", async () => {
    await run({ folder: "a", workers: 0 });
    await run({ folder: "b" });
    expect(await bytes("b", "model.safetensors")).toEqual(await bytes("a", "model.safetensors"));
  });

  it("goes on from the checkpoint before where the newest is damaged, and says so", async () => {
    await run({ folder: "whole" });
    await run({ ...stoppingAfter(10) });
    const [newest] = await listCheckpoints(path.join(root, "run/checkpoints"));
    await writeFile(newest!, (await readFile(newest!)).subarray(0, 1000));
    const warnings: string[] = [];
    const result = await run({
      resume: true,
      onEvent: (event) => event.kind === "warning" && warnings.push(event.message),
    });
    expect(warnings).toEqual([expect.stringMatching(/step-10\.safetensors: is truncated.*; going on from step-8/)]);
    expect(result.finished).toBe(true);
    expect(lasting("run")).toEqual(lasting("whole"));
    expect(await bytes("run", "model.safetensors")).toEqual(await bytes("whole", "model.safetensors"));
  });

  it("goes on only with what it was begun with", async () => {
    await run({ ...stoppingAfter(4) });
    const message = (given: Given): Promise<string> =>
      run({ resume: true, ...given }).then(String, (e: Error) => e.message);
    expect(await message({ recipe: { seed: 7 } })).toMatch(
      /was begun with seed 0, not 7; go on with that, or train into another folder$/,
    );
    expect(await message({ recipe: { learningRate: 1 } })).toMatch(
      /was begun with other settings of the recipe tiny\.resnet#quick: `learning_rate` was 0\.05, it is 1 now; /,
    );
    expect(await message({ recipe: { stop: { steps: 6 } } })).toMatch(/object/);
  });

  it.each<[string, Partial<Recipe>, string?]>([
    ["AdamW", { optimizer: { kind: "adamw" }, learningRate: 0.01 }],
    ["clipped gradients and averaged weights", { clipNorm: 0.5, emaDecay: 0.9 }],
    ["several parts", { accumulate: 4 }],
    ["several parts and averaged weights", { accumulate: 2, emaDecay: 0.9 }],
    ["a frozen stage", { frozenStages: ["conv1"] }],
    ["recomputation", { recompute: true }],
    ["label smoothing", { labelSmoothing: 0.1 }],
    ["dropout", {}, "Dropping"],
    ["mixed precision", { precision: "mixed" }],
    ["a network of any size", {}, "AnySize"],
  ])("resumes with %s too", async (_, recipe, model = "Tiny") => {
    await run({ folder: "whole", model, recipe });
    await run({ folder: "half", model, recipe, ...stoppingAfter(6) });
    await run({ folder: "half", model, recipe, resume: true });
    expect(await bytes("half", "model.safetensors")).toEqual(await bytes("whole", "model.safetensors"));
    expect(lasting("half")).toEqual(lasting("whole"));
  });

  it("in parts is training of the whole batch, where nothing mixes the images of a batch", async () => {
    await run({ folder: "whole", model: "NoNorm" });
    await run({ folder: "parts", model: "NoNorm", recipe: { accumulate: 4 } });
    const losses = (folder: string): number[] =>
      readMetrics(path.join(root, folder, "metrics.jsonl")).flatMap((each) =>
        each.kind === "step" ? [each.loss] : [],
      );
    losses("parts").forEach((loss, step) => expect(loss).toBeCloseTo(losses("whole")[step]!, 5));
  });

  it("stops where the loss is no number: which update, which layer, what to try", async () => {
    const failed = await run({ recipe: { learningRate: 1e20, warmUp: { kind: "steps", rate: 1e20, steps: 1 } } }).catch(
      (error: Error) => error,
    );
    expect(failed).toMatchObject({ name: "TrainingError" });
    expect((failed as Error).message).toMatch(
      /^step \d+: the loss is not a number; the first that is not is the (output of|parameter|running statistic) (conv1|conv2|head)\S*(, made by the update before)?; try a lower learning rate than 100000000000000000000, or clip_norm 1$/,
    );
  });

  it("ends with precise statistics: the averages over many batches", async () => {
    const { run: files } = await run({ recipe: { preciseStatistics: 64 } });
    const weights = await openWeights(files.weights);
    const found = weights.read("conv1.bn.running_mean");
    const kernel = weights.read("conv1.conv.weight");
    weights.close();
    // The first convolution's outputs by themselves, averaged over the same batches.
    const model = tinyModel();
    const graph = runPasses(INFERENCE_PASSES, model.graph, {});
    const conv = graph.nodes.find(({ op }) => op === "conv")!;
    const alone = emitOnnx(
      {
        ...graph,
        nodes: [conv],
        outputs: [{ name: "y", value: conv.outputs[0]! }],
        parameters: graph.parameters.filter(({ value }) => conv.inputs.includes(value)),
        constants: [],
      },
      { weights: new Map([["conv1.conv.weight", kernel]]) },
    );
    const session = await openSession(concat(alone.chunks, alone.byteLength), { device: "cpu" });
    const feed = await openFeed(await tinyData(), tinyRecipe(), 0, {});
    const sums = new Float64Array(16);
    let count = 0;
    for await (const { images, shape } of feed.calibration(64)) {
      const { y } = await session.run({ image: { data: images, shape } });
      (y!.data as Float32Array).forEach((value, i) => (sums[Math.floor(i / 64) % 16]! += value));
      count += y!.data.length / 16;
    }
    await feed.close();
    await session.close();
    sums.forEach((sum, channel) => expect(found[channel]).toBeCloseTo(sum / count, 5));
  });

  it("writes a model that subtracts the mean image itself", async () => {
    const { run: files, test } = await run({ named: "with_mean" });
    const data = await tinyData();
    const measured = await evaluateModel(files.model, data, data.test!, { device: "cpu" });
    expect(measured.error).toBeCloseTo(test!.error!, 10);
    // Going on measures nothing again.
    await run({ named: "with_mean", folder: "half", ...stoppingAfter(3) });
    await run({ named: "with_mean", folder: "half", resume: true });
    expect(await bytes("half", "model.onnx")).toEqual(await bytes("run", "model.onnx"));
  });

  it("names the classes and sizes that do not fit, and what to write", async () => {
    const data = await tinyData();
    const classes = { ...data, classes: data.classes.slice(0, 7) };
    const request = { model: tinyModel(), recipe: tinyRecipe(), data: classes, folder: root, names: NAMES };
    const options: TrainOptions = { device: "cpu", sameThread: true };
    await expect(train(request, options)).rejects.toThrow(
      'shapes has 7 classes, Tiny tells 10 apart: train "tiny.resnet#Tiny(classes: 7)"',
    );
    const cropped = tinyRecipe({ train: [{ kind: "random_crop", size: [24, 28] }] });
    await expect(train({ ...request, data, recipe: cropped }, options)).rejects.toThrow(
      "shapes gives images of 24x28 after the recipe's transforms, Tiny takes 32x32",
    );
    await expect(train({ ...request, data, recipe: tinyRecipe({ accumulate: 3 }) }, options)).rejects.toThrow(
      "a batch of 16 can't be computed in 3 equal parts",
    );
    await expect(train({ ...request, data, recipe: tinyRecipe({ frozenStages: ["conv9"] }) }, options)).rejects.toThrow(
      "Tiny has no stage, block or layer conv9; did you mean conv1?",
    );
  });
});
