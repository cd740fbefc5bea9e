/** Detectors trained from data to a model: what is measured, chosen, kept, and taken up again. */
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import sharp from "sharp";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Recipe } from "../../../../compiler/index.js";
import { openShapes, type AnnotatedSplit, type DataSet, type GroundTruth } from "../../../../runtime/data/index.js";
import { openDetector } from "../../../../runtime/detection/detector.js";
import { evaluateCoco } from "../../../../runtime/detection/evaluate/coco.js";
import { detectData } from "../../../../runtime/detection/run.js";
import { Event } from "../../../../runtime/training/event-file.js";
import { readMetrics } from "../../../../runtime/training/metrics.js";
import type { TrainEvent, TrainOptions, TrainResult } from "../../../../runtime/training/request.js";
import { openWeights } from "../../../../runtime/weights/index.js";
import { tinyDetector, tinyDetectorRecipe, tinyScenes, trainTiny } from "../../../support/tiny-detector-training.js";
import { lasting as lastingIn, stoppingAfter } from "../../../support/training-runs.js";

let root = "";
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), "resnetc-detector-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

interface Given extends TrainOptions {
  /** The detector's arguments. */
  readonly detector?: string;
  readonly recipe?: Partial<Recipe>;
  readonly data?: DataSet<AnnotatedSplit>;
  readonly folder?: string;
}

function run({ detector, recipe, data = tinyScenes(), folder = "run", ...options }: Given = {}): Promise<TrainResult> {
  const request = { model: tinyDetector(detector), recipe: tinyDetectorRecipe(recipe), data };
  return trainTiny({ ...request, folder: path.join(root, folder) }, options);
}

const lasting = (folder: string): unknown[] => lastingIn(path.join(root, folder));

const bytes = (folder: string, file: string): Promise<Buffer> => readFile(path.join(root, folder, file));

function told(kind: "notice" | "warning", messages: string[]): (event: TrainEvent) => void {
  return (event) => {
    if (event.kind === kind) messages.push((event as { readonly message: string }).message);
  };
}

const LOSSES = [
  "proposal_losses.boxes",
  "proposal_losses.objectness",
  "region_losses.boxes",
  "region_losses.classes",
] as const;

describe("training of a detector", () => {
  it("writes each loss, average precisions, checkpoints, and a model that finds what was measured", async () => {
    const events: TrainEvent[] = [];
    const recipe = { stop: { steps: 40 }, validateEvery: 20, checkpointEvery: 20 };
    const result = await run({ recipe, onEvent: (event) => events.push(event) });
    expect(result).toMatchObject({ step: 40, finished: true, unreadable: 0, exported: { from: "last", step: 40 } });
    const metrics = readMetrics(result.run.metrics);
    const steps = metrics.flatMap((each) => (each.kind === "step" ? [each] : []));
    expect(steps).toHaveLength(40);
    for (const { loss, losses, ...rest } of steps) {
      expect(Object.keys(losses!).sort()).toEqual(LOSSES);
      const sum = Object.values(losses!).reduce((a, b) => a + b, 0);
      expect(loss).toBeCloseTo(sum, 5);
      expect(rest).not.toHaveProperty("error");
    }
    const mean = (values: typeof steps): number => values.reduce((sum, { loss }) => sum + loss, 0) / values.length;
    expect(mean(steps.slice(-10))).toBeLessThan(0.8 * mean(steps.slice(0, 10)));
    const validations = metrics.flatMap((each) => (each.kind === "step" ? [] : [each]));
    expect(validations.map(({ kind, step }) => [kind, step])).toEqual([
      ["validation", 20],
      ["validation", 40],
      ["test", 40],
    ]);
    for (const each of validations) {
      expect(Object.keys(each).sort()).toEqual(["AP", "AP50", "epoch", "kind", "seconds", "step"]);
      expect(each.AP).toBeLessThanOrEqual(each.AP50!);
    }
    expect((await readdir(path.join(root, "run"))).sort()).toEqual([
      "checkpoints",
      "config.json",
      expect.stringMatching(/^events\.out\.tfevents/),
      "metrics.jsonl",
      "model.onnx",
      "model.safetensors",
      "training.log",
    ]);
    expect(events.find(({ kind }) => kind === "start")).toMatchObject({ device: "cpu", batch: 4, step: 0 });
    const detector = await openDetector(result.run.model, { device: "cpu" });
    expect(detector.labels).toEqual(tinyScenes().classes);
    const { data, detections } = await detectData(detector, tinyScenes().test!);
    await detector.close();
    expect(detections.length).toBeGreaterThan(0);
    const { AP, AP50 } = evaluateCoco(data, detections).summary;
    expect(result.test).toMatchObject({ AP, AP50 });
  });

  it("keeps the checkpoint of the highest average precision, and ends with it where that is asked for", async () => {
    const best: number[] = [];
    const onEvent = (event: TrainEvent): unknown =>
      event.kind === "validation" && event.best && best.push(event.metrics.step);
    const recipe = { learningRate: 0.03, stop: { steps: 60 }, validateEvery: 15 };
    const result = await run({ recipe, best: true, onEvent });
    const validations = readMetrics(result.run.metrics).flatMap((each) => (each.kind === "validation" ? [each] : []));
    const highest = Math.max(...validations.map(({ AP }) => AP!));
    const first = validations.find(({ AP }) => AP === highest)!.step;
    expect(best.at(-1)).toBe(first);
    expect(result.best).toEqual({ step: first, AP: highest });
    expect(result.exported).toEqual({ from: "best", step: first, AP: highest });
    const [kept, model] = await Promise.all(
      ["checkpoints/best.safetensors", "model.safetensors"].map((file) => openWeights(path.join(root, "run", file))),
    );
    for (const name of model!.tensors.keys()) expect(model!.read(name), name).toEqual(kept!.read(name));
    kept!.close();
    model!.close();
  });

  it("ends early where average precision no longer rises", async () => {
    const recipe: Partial<Recipe> = {
      ...{ learningRate: 1e-12, stop: { steps: 40 }, validateEvery: 2 },
      earlyStop: { patience: 2, minDelta: 0 },
    };
    const result = await run({ recipe });
    expect(result).toMatchObject({ finished: true, step: 6 });
    expect(result.stoppedEarly).toMatch(/AP/);
  });

  it.each<[string, Partial<Recipe>, string?]>([
    ["nothing special", {}],
    ["several parts", { accumulate: 2 }],
    ["averaged weights", { emaDecay: 0.9, emaWarmUp: true }],
    ["several parts and averaged weights", { accumulate: 4, emaDecay: 0.9 }],
    ["a frozen stage", { frozenStages: ["body.conv1"], frozenBatchNorm: true }],
    ["a stage that thaws", { thaws: [{ stages: ["body.conv1"], after: 3, unit: "step" }] }],
    ["AdamW and rates of stages", { optimizer: { kind: "adamw" }, stageRates: [{ stage: "head", times: 2 }] }],
    ["recomputation", { recompute: true }],
    ["sizes by chance", { train: [{ kind: "random_resize_shorter", length: [32, 64], step: 16 }] as Recipe["train"] }],
    ["images without objects", {}, "empty: true"],
  ])(
    "that was stopped is taken up again to the bit, with %s",
    { timeout: 60_000 },
    async (_, recipe, detector = "") => {
      await run({ folder: "whole", recipe, detector });
      for (const stop of [3, 4]) {
        const folder = `stopped-${stop}`;
        const first = await run({ folder, recipe, detector, ...stoppingAfter(stop, "enough") });
        expect(first).toMatchObject({ finished: false, step: stop });
        const second = await run({ folder, recipe, detector, resume: true });
        expect(second).toMatchObject({ finished: true, step: 8 });
        for (const file of ["model.safetensors", "model.onnx"]) {
          expect((await bytes(folder, file)).equals(await bytes("whole", file)), file).toBe(true);
        }
        expect(lasting(folder)).toEqual(lasting("whole"));
      }
    },
  );

  it("goes on only with the detector, the rules and the objects that it was begun with", async () => {
    await run({ ...stoppingAfter(4, "enough") });
    const scenes = tinyScenes();
    const known = scenes.train.annotations();
    const changed = (of: Partial<GroundTruth>): DataSet<AnnotatedSplit> => {
      const [first, ...rest] = known.objects;
      const annotations = { ...known, objects: [{ ...first!, ...of }, ...rest] };
      return { ...scenes, train: { ...scenes.train, annotations: () => annotations } };
    };
    const message = (given: Given): Promise<string> =>
      run({ resume: true, ...given }).then(String, (error: Error) => error.message);
    for (const of of [{ box: [1, 2, 10, 10] }, { isDifficult: true }] as const) {
      expect(await message({ data: changed(of) }), JSON.stringify(of)).toMatch(/was begun with other .*train/);
    }
    expect(await message({ detector: "norm: false" })).toMatch(/was begun with another network/);
    expect(await message({ recipe: { learningRate: 1 } })).toMatch(/`learning_rate` was 0\.01, it is 1 now/);
    expect(await message({ detector: "empty: true" })).toMatch(
      /was begun with another `objects` of the detector: it was .*"empty":"left_out"}, it is .*"empty":"used"} now;/,
    );
  });

  it("gives the same with any number of data threads, and in a thread of its own", async () => {
    await run({ folder: "a" });
    await run({ folder: "b", workers: 2, sameThread: false });
    expect((await bytes("b", "model.safetensors")).equals(await bytes("a", "model.safetensors"))).toBe(true);
    expect(lasting("b")).toEqual(lasting("a"));
  });

  it("recomputes what it does not keep: the same losses", async () => {
    await run({ folder: "kept" });
    await run({ folder: "recomputed", recipe: { recompute: true } });
    const [kept, recomputed] = ["kept", "recomputed"].map((folder) => losses(folder));
    kept!.forEach((loss, step) => expect(Math.abs(recomputed![step]! / loss - 1)).toBeLessThan(1e-4));
  });

  it("in mixed precision has the losses of single precision, nearly", async () => {
    await run({ folder: "single" });
    await run({ folder: "mixed", recipe: { precision: "mixed" } });
    const [single, mixed] = ["single", "mixed"].map((folder) => losses(folder));
    // Later on other regions are drawn.
    expect(Math.abs(mixed![0]! / single![0]! - 1)).toBeLessThan(0.02);
    expect(mixed!.every((loss) => Number.isFinite(loss))).toBe(true);
  });

  it("leaves what is frozen as it was until it thaws", async () => {
    const begun = await weightsAfter("begun", { stop: { steps: 1 }, learningRate: 1e-30, frozenBatchNorm: true });
    const frozen = await weightsAfter("frozen", { frozenStages: ["body.conv1"], frozenBatchNorm: true });
    for (const [name, values] of frozen) {
      const isFixed = name.startsWith("body.conv1.") || name.includes(".bn.");
      if (isFixed && !/running/.test(name)) expect(values, name).toEqual(begun.get(name));
    }
    expect(frozen.get("body.conv2.conv.weight")).not.toEqual(begun.get("body.conv2.conv.weight"));
    const thaws = [{ stages: ["body.conv1"], after: 3, unit: "step" as const }];
    const thawed = await weightsAfter("thawed", { thaws });
    expect(thawed.get("body.conv1.conv.weight")).not.toEqual(begun.get("body.conv1.conv.weight"));
    const [before, never] = ["thawed", "frozen stage"];
    const stays = await weightsAfter(never, { frozenStages: ["body.conv1"] });
    expect(stays.get("body.conv1.conv.weight")).toEqual(begun.get("body.conv1.conv.weight"));
    // The same until it thaws, and others after it.
    expect(losses(before).slice(0, 3)).toEqual(losses(never).slice(0, 3));
    expect(losses(before)[7]).not.toBe(losses(never)[7]);
  });

  it("learns from images without objects where its dialect says so, and tells what it leaves out", async () => {
    const scenes = tinyScenes();
    const known = scenes.train.annotations();
    const without = new Set(known.images.slice(0, 5).map(({ id }) => id));
    const annotations = { ...known, objects: known.objects.filter(({ image }) => !without.has(image)) };
    const data = { ...scenes, train: { ...scenes.train, annotations: () => annotations } };
    const lengths: number[] = [];
    const notices: string[] = [];
    const tell = told("notice", notices);
    const onEvent = (event: TrainEvent): void => {
      if (event.kind === "start") lengths.push(event.length.stepsPerEpoch);
      tell(event);
    };
    await run({ folder: "left out", data, onEvent });
    expect(notices).toContainEqual(
      expect.stringMatching(/^scenes: left out 5 images without objects, as the detector's dialect says/),
    );
    notices.length = 0;
    // A batch of one: some have nothing but background.
    const recipe = { batch: 1, stop: { steps: 12 } };
    await run({ folder: "used", data, detector: "empty: true", recipe, onEvent });
    expect(notices.join()).not.toContain("without objects");
    expect(lengths).toEqual([1, 12]);
    const boxes = readMetrics(path.join(root, "used/metrics.jsonl")).flatMap((each) =>
      each.kind === "step" ? [each.losses!["region_losses.boxes"]!] : [],
    );
    expect(boxes.filter((loss) => loss === 0).length).toBe(5);
    expect(boxes.filter((loss) => loss > 0).length).toBe(7);
  });

  it("refuses what means nothing to a detector, and data without objects", async () => {
    const message = (given: Given): Promise<string> => run(given).then(String, (error: Error) => error.message);
    const only = (what: string): string => `recipe quick: \`${what}\` is for classifiers, and Tiny is a detector`;
    expect(await message({ recipe: { labelSmoothing: 0.1 } })).toBe(only("label_smoothing"));
    expect(await message({ recipe: { preciseStatistics: 10 } })).toBe(only("precise_statistics"));
    expect(await message({ recipe: { emaDecay: 0.9, validateRaw: true } })).toBe(only("validate raw"));
    const mixing = { alpha: 1, probability: 1 };
    expect(await message({ recipe: { mixup: mixing } })).toBe(only("mixup"));
    expect(await message({ recipe: { cutmix: mixing } })).toBe(only("cutmix"));
    expect(await message({ recipe: { sampling: "balanced" } })).toBe(only("sampling balanced"));
    expect(await message({ recipe: { testScales: [48, 64] } })).toBe(only("test_scales"));
    expect(await message({ recipe: { evaluate: [{ kind: "resize_shorter", length: 48 }] } })).toBe(only("evaluate"));
    expect(await message({ recipe: { frozenStages: ["conv9"] } })).toMatch(/^Tiny has no stage, block or layer conv9/);
    const normalize = { kind: "normalize", mean: [0, 0, 0], std: [1, 1, 1] } as const;
    expect(await message({ recipe: { train: [normalize] } })).toMatch(
      /^recipe quick normalizes images otherwise than Tiny does/,
    );
    const shapes = openShapes() as unknown as DataSet<AnnotatedSplit>;
    expect(await message({ data: shapes })).toMatch(/^shapes: .*object/);
  });

  it("shows images with their boxes: of the first batch, and of each validation what was found", async () => {
    await run({ images: 3 });
    const shown: unknown[] = [];
    for (const name of await readdir(path.join(root, "run"))) {
      if (!name.startsWith("events")) continue;
      const file = await bytes("run", name);
      for (let at = 0; at < file.length;) {
        const length = Number(file.readBigUInt64LE(at));
        const event = Event.toObject(Event.decode(file.subarray(at + 12, at + 12 + length)), { longs: Number });
        const { value = [] } = (event["summary"] ?? {}) as {
          readonly value?: readonly {
            readonly tag: string;
            readonly image?: { readonly encoded_image_string: Buffer };
          }[];
        };
        for (const { tag, image } of value) {
          if (!image) continue;
          const { width, height } = await sharp(image.encoded_image_string).metadata();
          shown.push([tag, event["step"] ?? 0, width, height]);
        }
        at += 16 + length;
      }
    }
    // Three images of 64x48, five times as large, with margins.
    const size = [3 * 326 + 6, 246 + 6];
    expect(shown).toEqual([
      ["train/images", 0, ...size],
      ["validation/images", 4, ...size],
      ["validation/images", 8, ...size],
    ]);
  });

  function losses(folder: string): readonly number[] {
    return readMetrics(path.join(root, folder, "metrics.jsonl")).flatMap((each) =>
      each.kind === "step" ? [each.loss] : [],
    );
  }

  async function weightsAfter(folder: string, recipe: Partial<Recipe>): Promise<ReadonlyMap<string, Float32Array>> {
    const { run: files } = await run({ folder, recipe });
    const source = await openWeights(files.weights);
    const values = new Map([...source.tensors.keys()].map((name) => [name, source.read(name)]));
    source.close();
    return values;
  }
});
