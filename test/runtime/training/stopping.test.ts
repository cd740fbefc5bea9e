/** Trainings that end before their time, or may not begin. */
import { existsSync } from "node:fs";
import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { elaborate, memoryHost, parseTarget, type Recipe } from "../../../compiler/index.js";
import type { DataSet, Split } from "../../../runtime/data/index.js";
import { listCheckpoints } from "../../../runtime/training/checkpoint.js";
import { readMetrics } from "../../../runtime/training/metrics.js";
import { train } from "../../../runtime/training/trainer.js";
import { type TrainEvent, type TrainOptions, type TrainResult } from "../../../runtime/training/request.js";
import { openWeights } from "../../../runtime/weights/index.js";
import { NAMES, tinyData, tinyModel, tinyRecipe } from "./tiny.js";

let root = "";
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), "resnetc-stop-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

interface Given extends TrainOptions {
  readonly model?: string;
  readonly recipe?: Partial<Recipe>;
  readonly named?: string;
  readonly data?: DataSet;
  readonly folder?: string;
}

async function run({ model, recipe, named, data, folder = "run", ...options }: Given = {}): Promise<TrainResult> {
  const request = {
    model: tinyModel(model),
    recipe: tinyRecipe(recipe, named),
    data: data ?? (await tinyData()),
    names: NAMES,
  };
  return train(
    { ...request, folder: path.join(root, folder) },
    { device: "cpu", threads: 1, sameThread: true, ...options },
  );
}

const bytes = (file: string): Promise<Buffer> => readFile(path.join(root, file));
const losses = (folder: string): unknown[] =>
  readMetrics(path.join(root, folder, "metrics.jsonl")).map(({ kind, step, loss, error }) => [kind, step, loss, error]);

/** Stops at the first event of this kind that is so. */
function stoppingAt(is: (event: TrainEvent) => boolean): Pick<TrainOptions, "signal" | "onEvent"> {
  const stop = new AbortController();
  return { signal: stop.signal, onEvent: (event) => is(event) && stop.abort("enough") };
}

describe("a training that is stopped", () => {
  it("within a validation ends within a batch, and makes the validation when it goes on", async () => {
    await run({ folder: "whole" });
    let batches = 0;
    const stopped = await run({ ...stoppingAt((event) => event.kind === "validating" && ++batches === 1) });
    expect(stopped).toMatchObject({ finished: false, step: 4 });
    expect(batches).toBe(1);
    expect(readMetrics(stopped.run.metrics).some(({ kind }) => kind === "validation")).toBe(false);
    expect(await readFile(stopped.run.log, "utf8")).toMatch(/stopped after 4 updates: enough\n$/);
    // As where the process was killed after it had made the validation, and before its next checkpoint.
    const made = readMetrics(path.join(root, "whole/metrics.jsonl")).filter(({ kind }) => kind === "validation");
    await appendFile(stopped.run.metrics, `${JSON.stringify(made[0])}\n`);
    await run({ resume: true });
    expect(losses("run")).toEqual(losses("whole"));
    expect(await bytes("run/model.safetensors")).toEqual(await bytes("whole/model.safetensors"));
    expect(await bytes("run/model.onnx")).toEqual(await bytes("whole/model.onnx"));
  });

  it("within the test has its model, and makes the test when it goes on", async () => {
    await run({ folder: "whole" });
    const stop = new AbortController();
    let isLast = false;
    const onEvent = (event: TrainEvent): void => {
      if (event.kind === "validation" && event.metrics.step === 12) isLast = true;
      else if (event.kind === "validating" && isLast) stop.abort();
    };
    const stopped = await run({ signal: stop.signal, onEvent });
    expect(stopped).toMatchObject({ finished: false, step: 12 });
    expect(stopped.test).toBeUndefined();
    expect((await run({ resume: true })).test).toBeDefined();
    expect(losses("run")).toEqual(losses("whole"));
  });

  it("while the mean image is measured has made no update", async () => {
    const data = await tinyData();
    const stop = new AbortController();
    let read = 0;
    const reference: Split["reference"] = (index) => {
      if (++read === 40) stop.abort();
      return data.train.reference(index);
    };
    const given: Given = { named: "with_mean", data: { ...data, train: { ...data.train, reference } } };
    // The samples are named once to be told apart; the measurement looks at them again.
    const stopped = await run({ ...given, signal: stop.signal });
    expect(stopped).toMatchObject({ finished: false, step: 0 });
    expect(existsSync(path.join(root, "run/statistics.safetensors"))).toBe(false);
    expect(existsSync(path.join(root, "run/training.lock"))).toBe(false);
    await run({ named: "with_mean" });
  });
});

describe("validation images of which none can be read", () => {
  it("are an error, not the best so far; nothing of what was learned is lost", async () => {
    await run({ folder: "whole" });
    const data = await tinyData();
    const missing: Split = {
      ...data.validation,
      reference: (index) => ({ kind: "file", file: path.join(root, `${index}.png`) }),
    };
    const events: TrainEvent[] = [];
    const broken = { ...data, validation: missing };
    await expect(run({ data: broken, onEvent: (event) => events.push(event) })).rejects.toThrow(
      "shapes: no validation image could be read",
    );
    expect(events.some(({ kind }) => kind === "validation")).toBe(false);
    expect((await listCheckpoints(path.join(root, "run/checkpoints"))).map((file) => path.basename(file))).toEqual([
      "step-4.safetensors",
    ]);
    expect(existsSync(path.join(root, "run/model.onnx"))).toBe(false);
    await expect(run({ data: { ...data, test: missing }, folder: "test" })).rejects.toThrow(
      "shapes: no test image could be read",
    );
  });
});

describe("a folder that holds a training", () => {
  it("is not begun in again, and says how to go on", async () => {
    await run();
    const before = (await readdir(path.join(root, "run/checkpoints"))).sort();
    await expect(run()).rejects.toThrow(/run: holds a training; --resume goes on with it, or choose another folder$/);
    expect((await readdir(path.join(root, "run/checkpoints"))).sort()).toEqual(before);
    await rm(path.join(root, "run/checkpoints"), { recursive: true });
    await expect(run()).rejects.toThrow(/model\.onnx: would be overwritten: choose another folder$/);
  });

  it("is begun in again where it ended before its first checkpoint", async () => {
    await mkdir(path.join(root, "run/checkpoints"), { recursive: true });
    await writeFile(path.join(root, "run/metrics.jsonl"), "");
    expect((await run()).finished).toBe(true);
  });

  it("takes one training at a time", async () => {
    let second: Promise<unknown> | undefined;
    const first = await run({
      onEvent: (event) => {
        if (event.kind === "start") second = run({ recipe: { seed: 5 } }).catch((error: Error) => error.message);
      },
    });
    expect(await second).toMatch(/this process is training in this folder since/);
    expect(first.finished).toBe(true);
    expect(JSON.parse(await readFile(first.run.config, "utf8"))).toMatchObject({ seed: 0 });
  });

  it("is not written to any more by a training that lost it", async () => {
    const lost = run({
      onEvent: (event) => {
        if (event.kind !== "step" || event.metrics.step !== 6) return;
        void writeFile(path.join(root, "run/training.lock"), "{}");
      },
    });
    await expect(lost).rejects.toThrow("another training has taken this folder");
  });
});

describe("what makes no sense is refused before anything is written", () => {
  it.each<[string, Given, RegExp]>([
    ["a batch of nothing", { recipe: { batch: 0 } }, /batch must be a whole number of at least 1, not 0/],
    ["half an image", { recipe: { batch: 1.5 } }, /batch must be a whole number/],
    ["a seed that is no number of its own", { recipe: { seed: 1e20 } }, /seed must be a whole number of at least 0/],
    ["no updates", { recipe: { stop: { steps: 0 } } }, /steps must be a whole number of at least 1/],
    ["a rate of 0", { recipe: { learningRate: 0 } }, /learning rate must be above 0/],
    ["a smoothing of all", { recipe: { labelSmoothing: 1 } }, /`label_smoothing` must be at least 0 and below 1/],
    ["an average that stays", { recipe: { emaDecay: 1 } }, /`ema` must be between 0 and 1/],
    ["clipping to nothing", { recipe: { clipNorm: 0 } }, /`clip_norm` must be above 0/],
    ["all frozen", { recipe: { frozenStages: ["conv1", "conv2", "head"] } }, /no parameter that could be trained: all/],
  ])("%s", async (_, given, message) => {
    await expect(run(given)).rejects.toThrow(message);
    expect(existsSync(path.join(root, "run/model.onnx"))).toBe(false);
  });

  it("a batch norm over one value", async () => {
    const source = `network Pooled {
      input image 3x32x32
      stage conv1 { conv 3x3, 4, /4   relu }
      head { global_avg_pool   bn   fc 10   softmax }
    }`;
    const { model } = elaborate(parseTarget("p.resnet"), { host: memoryHost({ "p.resnet": source }) });
    const go = async (batch: number, accumulate = 1): Promise<TrainResult> =>
      train(
        {
          model: model!,
          recipe: tinyRecipe({ batch, accumulate, stop: { steps: 1 } }),
          data: await tinyData(),
          folder: path.join(root, `pooled-${batch}-${accumulate}`),
          names: NAMES,
        },
        { device: "cpu", threads: 1, sameThread: true },
      );
    await expect(go(1)).rejects.toThrow(/the batch norm head\.bn sees one value a channel/);
    await expect(go(4, 4)).rejects.toThrow(/the batch norm head\.bn sees one value a channel/);
    expect((await go(2)).finished).toBe(true);
  });

  it("a detector on images without objects, and a name that is a file", async () => {
    const { model } = elaborate(parseTarget("FasterRCNN_VGG16"));
    const request = { model: model!, recipe: tinyRecipe(), data: await tinyData(), names: { ...NAMES, target: "F" } };
    await expect(train({ ...request, folder: path.join(root, "run") })).rejects.toThrow(
      /its images have a class each; a detector learns from objects with boxes/,
    );
    await writeFile(path.join(root, "afile"), "");
    await expect(run({ folder: "afile" })).rejects.toThrow(/afile: is a file, or below one; a training needs a folder/);
  });
});

it("precise statistics are those of the averaged weights, where those are what is exported", async () => {
  const read = async (folder: string, name: string): Promise<Float32Array> => {
    const source = await openWeights(path.join(root, folder, "model.safetensors"));
    const values = source.read(name);
    source.close();
    return values;
  };
  await run({ folder: "ema", recipe: { emaDecay: 0.5 } });
  await run({ folder: "precise", recipe: { emaDecay: 0.5, preciseStatistics: 64 } });
  expect(await read("precise", "conv1.conv.weight")).toEqual(await read("ema", "conv1.conv.weight"));
  expect(await read("precise", "conv1.bn.running_var")).not.toEqual(await read("ema", "conv1.bn.running_var"));
  // A training whose weights are those averages from the start, and which stays there, measures the same.
  const source = await openWeights(path.join(root, "ema/model.safetensors"));
  const weights = new Map([...source.tensors.keys()].map((name) => [name, source.read(name)]));
  source.close();
  const still: Partial<Recipe> = { learningRate: 1e-30, schedule: { kind: "constant" }, preciseStatistics: 64 };
  const { warmUp: _w, ...recipe } = tinyRecipe();
  const request = { model: tinyModel(), data: await tinyData(), names: NAMES };
  await train(
    { ...request, recipe: { ...recipe, ...still, stop: { steps: 1 } }, folder: path.join(root, "still") },
    { device: "cpu", threads: 1, sameThread: true, weights },
  );
  for (const name of ["conv1.bn.running_mean", "conv1.bn.running_var", "conv2.0.bn2.running_var"]) {
    const [precise, still] = [await read("precise", name), await read("still", name)];
    precise.forEach((value, i) => expect(value).toBeCloseTo(still[i]!, 4));
  }
});
