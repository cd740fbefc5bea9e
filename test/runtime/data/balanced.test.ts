import { describe, expect, it } from "vitest";
import { balancedPlan, balancedWeights, classCounts } from "../../../runtime/data/balanced.js";
import { Loader, openShapes, subset, type LabelledSplit } from "../../../runtime/data/index.js";

/** 90 of class 0, 9 of class 1, 1 of class 2, mixed. */
const LABELS = Array.from({ length: 100 }, (_, index) => (index === 37 ? 2 : index % 11 === 5 ? 1 : 0));
const split: LabelledSplit = {
  name: "train",
  size: 100,
  label: (index) => LABELS[index]!,
  reference: () => {
    throw new Error("no image is needed");
  },
  isLight: true,
};

describe("balanced sampling", () => {
  it("draws every class equally often, and all samples of a class before one comes again", () => {
    const plan = balancedPlan(split, 12, 3);
    const seen = new Map<number, number>();
    const counts = [0, 0, 0];
    for (let step = 0; step < 60; step++) {
      const { indices, passes } = plan.at(step);
      const batch = [0, 0, 0];
      indices.forEach((index, place) => {
        expect(passes![place]).toBe(seen.get(index) ?? 0);
        seen.set(index, (seen.get(index) ?? 0) + 1);
        batch[LABELS[index]!]!++;
        counts[LABELS[index]!]!++;
      });
      expect(batch).toEqual([4, 4, 4]);
    }
    expect(counts).toEqual([240, 240, 240]);
    const often = (label: number): number[] =>
      LABELS.flatMap((each, index) => (each === label ? [seen.get(index) ?? 0] : []));
    const sizes = [0, 1, 2].map((label) => LABELS.filter((each) => each === label).length);
    sizes.forEach((size, label) => {
      expect(Math.min(...often(label))).toBe(Math.floor(240 / size));
      expect(Math.max(...often(label))).toBe(Math.ceil(240 / size));
    });
  });

  it("gives any batch by its number: a training that is taken up again is the uninterrupted one", () => {
    const whole = balancedPlan(split, 8, 3);
    const steps = Array.from({ length: 40 }, (_, step) => whole.at(step));
    const later = balancedPlan(split, 8, 3, 25);
    expect(later.first).toBe(25);
    for (const step of [39, 25, 31]) expect(later.at(step)).toEqual(steps[step]);
    expect(balancedPlan(split, 8, 4).at(0)).not.toEqual(steps[0]);
    expect(steps[12]!.epoch).toBe(1);
  });

  it("is what the loader gives, a repeated image augmented anew", async () => {
    const { train } = openShapes();
    // One image of class 0, ten of others.
    const indices = Array.from({ length: 60 }, (_, index) => index).filter((index) => train.label(index) !== 0);
    const first = Array.from({ length: 60 }, (_, index) => index).find((index) => train.label(index) === 0)!;
    const few = subset(train, Uint32Array.from([first, ...indices.slice(0, 30)]));
    const loader = new Loader();
    const transforms = [{ kind: "color_jitter" }, { kind: "normalize" }];
    const images: string[] = [];
    let labels: number[] = [];
    for await (const batch of loader.training({
      split: few,
      batch: 10,
      transforms,
      seed: 1,
      endStep: 4,
      sampling: "balanced",
    })) {
      labels = [...labels, ...batch.labels];
      batch.indices.forEach((index, place) => {
        if (index === 0) images.push(batch.images.subarray(place * 3072, (place + 1) * 3072).join());
      });
    }
    await loader.close();
    const classes = new Set(labels);
    for (const label of classes) {
      expect(Math.abs(labels.filter((each) => each === label).length - 40 / classes.size)).toBeLessThanOrEqual(1);
    }
    expect(images.length).toBeGreaterThanOrEqual(4);
    expect(new Set(images).size).toBe(images.length);
  });
});

describe("balanced weights", () => {
  it("are in inverse proportion to the counts, one in the mean over all samples", () => {
    const counts = classCounts(split, 3);
    expect(counts).toEqual([90, 9, 1]);
    const weights = balancedWeights(counts, []);
    expect(weights).toEqual([100 / 270, 100 / 27, 100 / 3]);
    expect(counts.reduce((sum, count, label) => sum + count * weights[label]!, 0)).toBeCloseTo(100, 10);
    expect(() => balancedWeights([3, 0], ["cat", "dog"])).toThrow("there is no training image of dog");
  });
});
