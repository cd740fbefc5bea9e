/** Training on images with any number of labels. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { elaborate, memoryHost, parseTarget, type Model, type Recipe } from "../../../compiler/index.js";
import { classifierData, openScenes, type DataSet } from "../../../runtime/data/index.js";
import { openFeed } from "../../../runtime/training/open-feed.js";
import { findRate } from "../../../runtime/training/find-rate.js";
import { readMetrics, type ValidationMetrics } from "../../../runtime/training/metrics.js";
import type { TrainEvent } from "../../../runtime/training/request.js";
import { train } from "../../../runtime/training/trainer.js";
import { NAMES, tinyModel, tinyRecipe } from "./tiny.js";

const SOURCE = `network Tagger {
  input image 3x32x32
  stage conv1 { conv 3x3, 8, /2   bn   relu }
  stage side  { global_avg_pool   fc 10 }
  early = focal image.labels, weight: 0.5
  conv1
  stage conv2 /2 { conv 3x3, 16   bn   relu }
  head { global_max_pool   fc 10   binary_cross_entropy image.labels   sigmoid }
}`;

function tagger(): Model {
  const { model, diagnostics } = elaborate(parseTarget("t.resnet"), { host: memoryHost({ "t.resnet": SOURCE }) });
  if (!model) throw new Error(JSON.stringify(diagnostics));
  return model;
}

const scenes = (): DataSet => openScenes({ train: 48, validation: 21, test: 10, width: 32, height: 32 });
const normalize = { kind: "normalize", range: 1, mean: [0.5, 0.5, 0.5], std: [0.25, 0.25, 0.25], color: "rgb" };
const recipe = (changes: Partial<Recipe> = {}): Recipe =>
  tinyRecipe({ train: [normalize, { kind: "flip_horizontal", probability: 0.5 }], ...changes });

let root = "";
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), "resnetc-tagger-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const OPTIONS = { device: "cpu", threads: 1, sameThread: true } as const;
const request = (changes: Partial<Recipe> = {}, model = tagger()) => ({
  model,
  recipe: recipe(changes),
  data: scenes(),
  names: NAMES,
  folder: path.join(root, "run"),
});

describe("a training on images with several labels", () => {
  it("takes the best weights by mean average precision, and says so", async () => {
    const notices: string[] = [];
    const onEvent = (event: TrainEvent): void => void (event.kind === "notice" && notices.push(event.message));
    const result = await train(request(), { ...OPTIONS, best: true, images: 3, onEvent });
    const metrics = readMetrics(path.join(root, "run", "metrics.jsonl"));
    const validations = metrics.filter((each): each is ValidationMetrics => each.kind === "validation");
    expect(validations).toHaveLength(3);
    for (const { mAP, f1, error5, loss, losses } of validations) {
      expect(mAP).toBeGreaterThan(0);
      expect(f1).toMatchObject({ threshold: 0.5 });
      expect(error5).toBeUndefined();
      expect(Object.keys(losses!)).toEqual(["early", "head.binary_cross_entropy"]);
      expect(0.5 * losses!["early"]! + losses!["head.binary_cross_entropy"]!).toBeCloseTo(loss!, 6);
    }
    const highest = validations.reduce((best, each) => (each.mAP! > best.mAP! ? each : best));
    expect(result.best).toEqual({ step: highest.step, error: highest.error, mAP: highest.mAP });
    expect(result.exported).toEqual({ from: "best", ...result.best });
    expect(result.test!.mAP).toBeGreaterThan(0);
    expect(notices).toContainEqual(expect.stringMatching(/^images have any number of labels: the best weights are/));
    const log = await readFile(path.join(root, "run", "training.log"), "utf8");
    expect(log).toMatch(
      /step 4: validation mAP [\d.]+ %, F1 [\d.]+ % \(macro [\d.]+ %\), error [\d.]+ %, loss [\d.]+ \(early [\d.]+, head\.binary_cross_entropy [\d.]+\), the best so far/,
    );
  });

  it("mixes them with the images, and gives the same in two parts of a batch and when it goes on", async () => {
    const mixed = { mixup: { alpha: 1, probability: 1 }, stop: { steps: 6 }, validateEvery: 3, checkpointEvery: 3 };
    const feed = await openFeed(scenes(), recipe(mixed), 1, {});
    const { value: batch } = await feed.training(0).next();
    const { train: split } = classifierData(scenes());
    const share = batch!.targets["labels"]!;
    expect(share).toHaveLength(160);
    const rows = [...batch!.indices].map((index) => split.labels!(index));
    const kept = Math.max(...[...share].filter((value) => value < 1 && value > 0));
    rows.forEach((labels, image) => {
      const before = rows.at(image - 1)!;
      for (let label = 0; label < 10; label++) {
        const [own, others] = [labels.includes(label), before.includes(label)];
        const value = share[image * 10 + label]!;
        if (own === others) expect(value).toBeCloseTo(own ? 1 : 0, 6);
        else expect([kept, 1 - kept].some((part) => Math.abs(part - value) < 1e-6)).toBe(true);
      }
    });
    await feed.close();
    const whole = await train(request({ ...mixed, accumulate: 2 }), OPTIONS);
    await rm(path.join(root, "run"), { recursive: true });
    const stop = new AbortController();
    const onEvent = (event: TrainEvent): void => {
      if (event.kind === "step" && event.metrics.step === 4) stop.abort();
    };
    await train(request({ ...mixed, accumulate: 2 }), { ...OPTIONS, signal: stop.signal, onEvent });
    const resumed = await train(request({ ...mixed, accumulate: 2 }), { ...OPTIONS, resume: true });
    const without = ({ seconds: _seconds, ...rest }: ValidationMetrics) => rest;
    expect(without(resumed.test!)).toEqual(without(whole.test!));
  });

  it("ends where the mean average precision rises no more, and finds a rate", async () => {
    const earlyStop = { patience: 1, minDelta: 1 };
    const result = await train(request({ earlyStop, validateEvery: 1 }), OPTIONS);
    expect(result.stoppedEarly).toMatch(/^the validation mAP has not risen above [\d.]+ % by more than 100.00 % for 1/);
    expect((await findRate(request(), { ...OPTIONS, steps: 10 })).points).toHaveLength(10);
  });

  it.each([
    [tinyModel(), {}, /^Tiny is trained by softmax cross entropy.*as those of scenes do, write `binary_cross_entropy/],
    [tagger(), { classWeights: "balanced" as const }, /class_weights balanced: counts the images of each class/],
    [tagger(), { labelSmoothing: 0.1 }, /label_smoothing is for `cross_entropy`/],
    [tagger(), { sampling: "balanced" as const }, /only images with a class each can be balanced/],
  ])("refuses what does not fit", async (model, changes, message) => {
    await expect(train(request(changes, model), OPTIONS)).rejects.toThrow(message);
  });
});
