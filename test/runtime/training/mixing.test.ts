/** Images of a batch that are mixed with one another, and their labels with them: as PyTorch does it, and as it is trained. */
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { MIXINGS, type Recipe } from "../../../compiler/recipe.js";
import { buildTraining } from "../../../compiler/training/build.js";
import { recipeOptions } from "../../../compiler/training/from-recipe.js";
import { emitTrainingGraphs } from "../../../compiler/training/graphs.js";
import { randomStream } from "../../../runtime/random.js";
import { openDeviceEngine } from "../../../runtime/training/device-engine.js";
import { openFeed } from "../../../runtime/training/open-feed.js";
import { findRate } from "../../../runtime/training/find-rate.js";
import { initialState } from "../../../runtime/training/initial-state.js";
import { drawMixture, mixImages, sharesOf } from "../../../runtime/training/mixing/index.js";
import type { Mixture } from "../../../runtime/training/mixing/mixing.js";
import { cut, cutmix } from "../../../runtime/training/mixing/cutmix.js";
import { mixup } from "../../../runtime/training/mixing/mixup.js";
import { train } from "../../../runtime/training/trainer.js";
import type { TargetBatch } from "../../../runtime/training/targets.js";
import type { TrainEvent } from "../../../runtime/training/request.js";
import { uniform } from "../../support/oracle-weights.js";
import { NAMES, tinyData, tinyModel, tinyRecipe } from "./tiny.js";

interface Mixed {
  readonly images: readonly number[];
  readonly labels: readonly number[];
}

interface Golden {
  readonly shape: readonly [images: number, channels: number, height: number, width: number];
  readonly classes: number;
  readonly labels: readonly number[];
  readonly mixup: readonly (Mixed & { readonly share: number })[];
  readonly cutmix: readonly (Mixed & {
    /** As it was drawn. */
    readonly share: number;
    readonly middle: readonly [row: number, column: number];
    /** Of the area. */
    readonly seen: number;
  })[];
}

const GOLDEN = JSON.parse(
  readFileSync(new URL("../../golden/training/mixing.json", import.meta.url), "utf8"),
) as Golden;
const [COUNT, CHANNELS, HEIGHT, WIDTH] = GOLDEN.shape;

/** Bit for bit. */
function expectMixed(mixture: Mixture, golden: Mixed) {
  const images = uniform("mixed images", COUNT * CHANNELS * HEIGHT * WIDTH, -2, 2);
  mixImages(images, COUNT, mixture);
  expect(images).toEqual(Float32Array.from(golden.images));
  const labels = Int32Array.from(GOLDEN.labels);
  expect(sharesOf(labels, GOLDEN.classes, mixture.share)).toEqual(Float32Array.from(golden.labels));
}

describe("a batch and its labels are PyTorch's", () => {
  it.each(GOLDEN.mixup)("with mixup and a share of $share", (golden) => {
    expectMixed(
      mixup.draw(golden.share, [HEIGHT, WIDTH], () => 0),
      golden,
    );
  });

  it.each(GOLDEN.cutmix)("with cutmix, a share of $share and its middle at $middle", (golden) => {
    const mixture = cut(golden.share, [HEIGHT, WIDTH], golden.middle);
    expect(mixture.share).toBeCloseTo(golden.seen, 15);
    expectMixed(mixture, golden);
  });
});

describe("what is drawn for a batch", () => {
  const drawn = (recipe: Pick<Recipe, (typeof MIXINGS)[number]>, count = 2000): (Mixture | undefined)[] => {
    const names = MIXINGS.filter((name) => recipe[name]);
    return Array.from({ length: count }, (_, step) =>
      drawMixture(recipe, names, [8, 8], randomStream(`mix 0 ${step}`)),
    );
  };

  it("is nothing as often as the probability says", () => {
    const mixtures = drawn({ mixup: { alpha: 1, probability: 0.25 } });
    expect(mixtures.filter(Boolean).length / 2000).toBeCloseTo(0.25, 1);
    expect(drawn({ mixup: { alpha: 1, probability: 1 } }).every(Boolean)).toBe(true);
  });

  it("has shares of the distribution", () => {
    const shares = drawn({ mixup: { alpha: 0.2, probability: 1 } }).map((mixture) => mixture!.share);
    const mean = shares.reduce((sum, share) => sum + share, 0) / 2000;
    expect(mean).toBeCloseTo(0.5, 1);
    // The variance of Beta(0.2, 0.2) is 1 / (4 * 1.4).
    expect(shares.reduce((sum, share) => sum + (share - mean) ** 2, 0) / 2000).toBeCloseTo(1 / 5.6, 1);
  });

  it("is one of two ways, each as often, where a recipe has both", () => {
    const both = { mixup: { alpha: 1, probability: 1 }, cutmix: { alpha: 1, probability: 0.5 } };
    const mixtures = drawn(both);
    // On images of 8x8 a rectangle has a whole number of 64ths.
    const boxes = mixtures.filter((mixture) => mixture && Number.isInteger(mixture.share * 64)).length;
    expect(boxes / 2000).toBeCloseTo(0.25, 1);
    expect(mixtures.filter((mixture) => mixture === undefined).length / 2000).toBeCloseTo(0.25, 1);
  });

  it("is a rectangle anywhere, of the area that was drawn but for what is cut off", () => {
    const random = randomStream("boxes");
    const covered = new Float32Array(64);
    for (let time = 0; time < 2000; time++) {
      const { share, mix } = cutmix.draw(0.75, [8, 8], random);
      const image = new Float32Array(64);
      mix(image, new Float32Array(64).fill(1));
      expect(image.reduce((sum, each) => sum + each, 0) / 64).toBe(1 - share);
      // Four pixels wide and high, or less at the edges.
      expect(1 - share).toBeLessThanOrEqual(0.25);
      image.forEach((value, at) => (covered[at]! += value / 2000));
    }
    // A pixel well inside is in 16 of 64 places; the first, in the corner, in those whose middle is at 0 to 2.
    expect(covered[8 * 4 + 4]).toBeCloseTo(16 / 64, 1);
    expect(covered[0]).toBeCloseTo(9 / 64, 1);
  });
});

describe("a training", () => {
  let root = "";
  beforeEach(async () => {
    root = await mkdtemp(path.join(tmpdir(), "resnetc-mixing-"));
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  const recipe: Partial<Recipe> = { mixup: { alpha: 1, probability: 1 }, labelSmoothing: 0.1, accumulate: 2 };

  async function batchesOf(changes: Partial<Recipe>, count: number, first = 0): Promise<TargetBatch[]> {
    const feed = await openFeed(await tinyData(), tinyRecipe(changes), 3, {});
    const batches: TargetBatch[] = [];
    for await (const batch of feed.training(first)) if (batches.push(batch) === count) break;
    await feed.close();
    return batches;
  }

  it("is given batches of which each image has a share of the one before it", async () => {
    const [plain, mixed] = [await batchesOf({}, 7), await batchesOf(recipe, 7)];
    const shares = mixed.map(({ images, labels, targets }, step) => {
      const own = plain[step]!;
      const shares = targets["labels"]!;
      expect(own.targets["labels"]).toEqual(own.labels);
      expect(labels).toEqual(own.labels);
      const expected = own.images.slice();
      const at = labels.findIndex((label, index) => label !== labels[(index + 15) % 16]);
      const share = shares[10 * at + labels[at]!]!;
      const before = (index: number): number => (index + 15) % 16;
      for (let i = 0; i < expected.length; i++) {
        const [image, pixel] = [Math.floor(i / 3072), i % 3072];
        expected[i] = share * own.images[i]! + (1 - share) * own.images[before(image) * 3072 + pixel]!;
      }
      expect(images.every((value, i) => Math.abs(value - expected[i]!) < 1e-6)).toBe(true);
      labels.forEach((label, image) => {
        const row = (shares as Float32Array).subarray(10 * image, 10 * image + 10);
        expect(row.reduce((sum, each) => sum + each, 0)).toBeCloseTo(1, 6);
        expect(row[label]).toBeCloseTo(label === labels[before(image)] ? 1 : share, 6);
      });
      return share;
    });
    expect(new Set(shares).size).toBe(7);
    // Going on in the middle of an epoch gives what would have come.
    expect((await batchesOf(recipe, 2, 5)).map(({ images }) => images)).toEqual(
      mixed.slice(5).map(({ images }) => images),
    );
  });

  it("takes the loss of the shares, smoothed, and counts the class with the larger one", async () => {
    const model = tinyModel("NoNorm");
    const program = buildTraining(model, recipeOptions(tinyRecipe(recipe)));
    const engine = await openDeviceEngine(emitTrainingGraphs(program, 2), { device: "cpu", threads: 1 });
    await engine.setState(initialState(model, program.state, 0, undefined));
    const [batch] = await batchesOf(recipe, 1);
    const shares = batch!.targets["labels"]!;
    const numbered = { images: batch!.images.slice(), targets: { labels: batch!.labels } };
    const { scores: logits, stated } = await engine.evaluate(numbered, false);
    expect(stated).toBeUndefined();
    const { loss, correct } = await engine.step({
      images: batch!.images,
      targets: { labels: shares },
      learningRate: 0.1,
      key: "noise",
    });
    await engine.close();
    let [expected, right] = [0, 0];
    for (let image = 0; image < 16; image++) {
      const row = [...logits.subarray(10 * image, 10 * image + 10)];
      const target = [...shares.subarray(10 * image, 10 * image + 10)];
      const total = Math.log(row.reduce((sum, logit) => sum + Math.exp(logit), 0));
      row.forEach((logit, label) => (expected += ((0.9 * target[label]! + 0.01) * (total - logit)) / 16));
      if (row.indexOf(Math.max(...row)) === target.indexOf(Math.max(...target))) right++;
    }
    expect(loss).toBeCloseTo(expected, 5);
    expect(correct).toBe(right);
  });

  it("says what its error counts, and is validated by the images' own classes", async () => {
    const notices: string[] = [];
    const onEvent = (event: TrainEvent): void => void (event.kind === "notice" && notices.push(event.message));
    const request = {
      model: tinyModel(),
      recipe: tinyRecipe({ ...recipe, cutmix: { alpha: 1, probability: 1 } }),
      data: await tinyData(),
      names: NAMES,
    };
    const options = { device: "cpu", threads: 1, sameThread: true, images: 2, onEvent } as const;
    const result = await train({ ...request, folder: path.join(root, "run") }, options);
    expect(notices).toContain(
      "mixup or cutmix: of an image that is mixed of two, the training error counts the class with the larger share",
    );
    expect(result.finished).toBe(true);
    expect(Number.isFinite(result.validation!.loss)).toBe(true);
    expect((await findRate(request, { device: "cpu", threads: 1, sameThread: true, steps: 10 })).points).toHaveLength(
      10,
    );
  });
});
