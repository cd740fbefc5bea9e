import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { batchesPerEpoch, evaluationPlan, trainingPlan } from "../../../runtime/data/order.js";
import { permutation } from "../../../runtime/random.js";

describe("orders", () => {
  it("are permutations that follow from the text", () => {
    fc.assert(
      fc.property(fc.nat(300), fc.string(), (size, text) => {
        const order = permutation(size, text);
        expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: size }, (_, i) => i));
        expect(permutation(size, text)).toEqual(order);
      }),
    );
    expect(permutation(100, "a")).not.toEqual(permutation(100, "b"));
  });

  it("put every element everywhere as often", () => {
    const counts = Array.from({ length: 6 }, () => new Array<number>(6).fill(0));
    for (let i = 0; i < 6000; i++) permutation(6, `order ${i}`).forEach((element, at) => counts[element]![at]!++);
    for (const count of counts.flat()) expect(Math.abs(count - 1000)).toBeLessThan(130);
  });

  it("training: every sample at most once an epoch, another order each epoch, the rest dropped", () => {
    const plan = trainingPlan(23, 5, 7);
    expect(batchesPerEpoch(23, 5)).toBe(4);
    const epochs = [0, 1, 2].map((epoch) => {
      const batches = [0, 1, 2, 3].map((i) => plan.at(epoch * 4 + i));
      for (const batch of batches) expect(batch.epoch).toBe(epoch);
      return batches.flatMap((batch) => batch.indices);
    });
    for (const indices of epochs) expect(new Set(indices).size).toBe(20);
    expect(epochs[0]).not.toEqual(epochs[1]);
    // Asked for from the middle, and by another plan.
    expect(trainingPlan(23, 5, 7, 6).at(6)).toEqual(plan.at(6));
    expect(trainingPlan(23, 5, 8).at(0)).not.toEqual(plan.at(0));
    expect(() => trainingPlan(4, 5, 7)).toThrow("4 training images are fewer than a batch of 5");
  });

  it("evaluation: every sample once, in order, the last batch smaller", () => {
    const plan = evaluationPlan(7, 3);
    expect(plan.end).toBe(3);
    expect([0, 1, 2].map((step) => plan.at(step).indices)).toEqual([[0, 1, 2], [3, 4, 5], [6]]);
  });
});
