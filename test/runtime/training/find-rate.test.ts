import { describe, expect, it } from "vitest";
import { drawRates } from "../../../runtime/figures/rates.js";
import { plot } from "../../../runtime/figures/plot.js";
import { findRate, suggestionOf } from "../../../runtime/training/find-rate.js";
import { DETECTOR_NAMES, tinyDetector, tinyDetectorRecipe, tinyScenes } from "../../support/tiny-detector-training.js";
import { NAMES, tinyData, tinyModel, tinyRecipe } from "./tiny.js";

const request = async () => ({ model: tinyModel(), recipe: tinyRecipe(), data: await tinyData(), names: NAMES });
const how = { device: "cpu", threads: 1, sameThread: true } as const;

describe("finding a learning rate", () => {
  it("raises the rate by a constant factor, and suggests a tenth of that at the lowest mean", async () => {
    const found = await findRate(await request(), { ...how, steps: 40, from: 1e-4, to: 100 });
    const [first, second, third] = found.points;
    expect(first!.rate).toBe(1e-4);
    expect(second!.rate / first!.rate).toBeCloseTo(third!.rate / second!.rate, 10);
    expect(first!.rate * (second!.rate / first!.rate) ** 39).toBeCloseTo(100, 6);
    expect(first!.smoothed).toBeCloseTo(first!.loss, 6);
    const lowest = found.points.reduce((best, point) => (point.smoothed < best.smoothed ? point : best));
    expect(found.lowest).toBe(lowest.rate);
    expect(found.suggestion).toBe(Number((lowest.rate / 10).toPrecision(2)));
    expect(found.steepest).toBeLessThanOrEqual(lowest.rate);
    // Nothing depends on when it is asked.
    const again = await findRate(await request(), { ...how, steps: 40, from: 1e-4, to: 100 });
    expect(again.points).toEqual(found.points);
    const svg = drawRates(found, "Tiny & co");
    expect(svg).toContain(`suggestion: ${found.suggestion}`);
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  });

  it("ends where the loss diverges or is no number", async () => {
    const found = await findRate(await request(), { ...how, steps: 60, from: 1, to: 1e30 });
    expect(found.ended).toBe("diverged");
    expect(found.points.length).toBeLessThan(60);
    expect(found.points.every(({ loss }) => Number.isFinite(loss))).toBe(true);
  });

  it("takes detectors, whose batches have several sizes, and says what their data leave out", async () => {
    const train = [{ kind: "random_resize_shorter", length: [40, 64], step: 24 } as const];
    const [notices, warnings]: [string[], string[]] = [[], []];
    const found = await findRate(
      { model: tinyDetector(), recipe: tinyDetectorRecipe({ train }), data: tinyScenes(), names: DETECTOR_NAMES },
      {
        ...{ ...how, workers: 0, steps: 10, from: 1e-4, to: 0.1 },
        onNotice: (line) => notices.push(line),
        onWarning: (line) => warnings.push(line),
      },
    );
    expect(found.points).toHaveLength(10);
    expect(found.points.every(({ loss }) => Number.isFinite(loss))).toBe(true);
    expect(notices.at(-1)).toMatch(/^images are computed at (\d+x\d+, )+\d+x\d+, of which \d+ % is padding$/);
    expect(warnings.join()).not.toContain("undefined");
  });

  it("has the mean of the losses by its definition, and no suggestion where it never falls", () => {
    const point = (rate: number, smoothed: number) => ({ rate, loss: smoothed, smoothed });
    const points = [point(0.001, 3), point(0.01, 2.9), point(0.1, 2), point(1, 1.9), point(10, 2.5)];
    expect(suggestionOf(points)).toEqual({ suggestion: 0.1, lowest: 1, steepest: 0.1 });
    expect(suggestionOf([point(1, 2), point(2, 3)])).toEqual({});
  });

  it("refuses ranges that do not rise", async () => {
    await expect(findRate(await request(), { ...how, from: 1, to: 0.1 })).rejects.toThrow(
      "rates can't rise from 1 to 0.1",
    );
    await expect(findRate(await request(), { ...how, steps: 3 })).rejects.toThrow("3 updates are too few");
  });
});

describe("the learning rate beside the errors", () => {
  it("is a second panel, logarithmic where it falls far", () => {
    const metrics = Array.from({ length: 100 }, (_, step) => ({
      kind: "step" as const,
      step: step + 1,
      epoch: step / 10,
      loss: 1,
      error: 0.5 - step / 250,
      learningRate: step < 50 ? 0.1 : step < 80 ? 0.01 : 0,
      imagesPerSecond: 1,
      waiting: 0,
      seconds: 0,
    }));
    const svg = plot([{ name: "run", metrics }], { rate: true });
    expect(svg).toContain("learning rate");
    expect(svg).not.toMatch(/NaN|Infinity/);
    expect(plot([{ name: "run", metrics }])).not.toContain("learning rate");
  });
});
