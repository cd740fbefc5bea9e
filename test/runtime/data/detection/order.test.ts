import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { groupedPlan, proportionOf } from "../../../../runtime/data/detection/order.js";

describe("batches by proportions", () => {
  const groups = Array.from({ length: 23 }, (_, i) => (i % 5 === 0 ? 1 : 0));

  it("hold images of one group, and every image comes once in each pass", () => {
    const plan = groupedPlan(groups, 4, 7);
    const seen: string[] = [];
    for (let step = 0; step < 60; step++) {
      const { indices, passes, epoch } = plan.at(step);
      expect(indices).toHaveLength(4);
      expect(new Set(indices.map((index) => groups[index]))).toHaveProperty("size", 1);
      expect(epoch).toBe(Math.floor(step / 5));
      seen.push(...indices.map((index, at) => `${passes![at]!}.${index}`));
    }
    expect(new Set(seen).size).toBe(seen.length);
    // 240 images are ten passes and a part of the eleventh, less those that wait for others: at most three a group.
    for (let pass = 0; pass < 9; pass++) {
      expect(groups.every((_, index) => seen.includes(`${pass}.${index}`))).toBe(true);
    }
  });

  it("follow from the seed and the number alone", () => {
    const inOrder = groupedPlan(groups, 4, 7);
    const all = Array.from({ length: 40 }, (_, step) => inOrder.at(step));
    expect(groupedPlan(groups, 4, 7, 33).at(33)).toEqual(all[33]);
    // Back again.
    expect(inOrder.at(3)).toEqual(all[3]);
    expect(inOrder.at(3)).toEqual(all[3]);
    expect(groupedPlan(groups, 4, 8).at(0)).not.toEqual(all[0]);
    expect(all[0]).not.toEqual(all[5]);
  });

  it("of fewer images than a batch take them from several passes", () => {
    const { indices, passes } = groupedPlan([0, 0, 0], 5, 1).at(0);
    expect([...indices.slice(0, 3)].sort()).toEqual([0, 1, 2]);
    expect(passes).toEqual([0, 0, 0, 1, 1]);
    expect(() => groupedPlan([], 5, 1)).toThrow("no image to train on");
    expect(() => groupedPlan([0], 0, 1)).toThrow("a batch of 0 images is not possible");
  });

  it("any number of groups and images: as many images of each as passes went by", () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat({ max: 2 }), { minLength: 1, maxLength: 30 }),
        fc.integer({ min: 1, max: 6 }),
        (groups, batch) => {
          const plan = groupedPlan(groups, batch, 3);
          const counts = groups.map(() => 0);
          for (let step = 0; step < 50; step++) for (const index of plan.at(step).indices) counts[index]!++;
          const [least, most] = [Math.min(...counts), Math.max(...counts)];
          // A group's images wait for at most a batch of others.
          expect(most - least).toBeLessThanOrEqual(batch + 1);
        },
      ),
      { numRuns: 100 },
    );
  });

  it("wide images are apart from tall ones and squares, as in Detectron2", () => {
    expect([[480, 640], [640, 480], [500, 500]].map(([h, w]) => proportionOf([h!, w!]))).toEqual([0, 1, 1]); // prettier-ignore
  });
});
