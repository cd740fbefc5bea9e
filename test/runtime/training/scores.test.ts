import { describe, expect, it } from "vitest";
import { added, errorsOf, measured, NOTHING } from "../../../runtime/training/scores.js";

describe("errors from scores", () => {
  it("count the likeliest and the five likeliest", () => {
    // Classes 0 to 6 with falling scores: class k has k before it.
    const row = [6, 5, 4, 3, 2, 1, 0];
    const sums = added(NOTHING, measured(Float32Array.from([...row, ...row, ...row]), Int32Array.of(0, 4, 5), 1));
    expect(sums).toMatchObject({ images: 3, correct: 1, correct5: 2 });
    const probability = (k: number): number => Math.exp(-k) / row.reduce((sum, _, i) => sum + Math.exp(-i), 0);
    expect(sums.loss).toBeCloseTo(-Math.log(probability(0)) - Math.log(probability(4)) - Math.log(probability(5)), 6);
    expect(errorsOf(sums).error).toBeCloseTo(2 / 3, 12);
  });

  it("average the probabilities of an image's views", () => {
    const sums = added(NOTHING, measured(Float32Array.of(0, 0, Math.log(9), 0), Int32Array.of(0), 2));
    expect(sums.loss).toBeCloseTo(-Math.log((0.5 + 0.9) / 2), 6);
    expect(sums.correct).toBe(1);
  });

  it("take the lower number of equals, and never a score that is no number", () => {
    expect(added(NOTHING, measured(Float32Array.of(1, 1), Int32Array.of(1), 1)).correct).toBe(0);
    expect(added(NOTHING, measured(Float32Array.of(1, 1), Int32Array.of(0), 1)).correct).toBe(1);
    expect(added(NOTHING, measured(Float32Array.of(NaN, 1), Int32Array.of(0), 1)).correct).toBe(0);
  });
});
