/** Average precision and F1 of independent labels, as scikit-learn has them. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { LabelTally } from "../../../runtime/classification/label-tally.js";

interface Golden {
  readonly scores: readonly (readonly number[])[];
  readonly labels: readonly (readonly number[])[];
  /** Labels that some image has. */
  readonly known: readonly number[];
  readonly AP: readonly number[];
  readonly mAP: number;
  readonly at: readonly {
    readonly threshold: number;
    readonly micro: number;
    readonly macro: number;
    readonly F1: readonly number[];
    readonly precision: readonly number[];
    readonly recall: readonly number[];
    readonly error: number;
  }[];
}

const GOLDEN = JSON.parse(readFileSync(new URL("../../golden/labels/scores.json", import.meta.url), "utf8")) as Golden;

const NAMES = ["a", "b", "c", "d", "e", "f"];

describe("labels of images", () => {
  const tally = new LabelTally(NAMES);
  GOLDEN.scores.forEach((row, image) => tally.add(GOLDEN.labels[image]!, Float64Array.from(row)));

  it.each(GOLDEN.at)("are judged at $threshold as by scikit-learn", (golden) => {
    const { labels, ...all } = tally.result(golden.threshold);
    expect(all).toEqual({
      images: 60,
      mAP: expect.closeTo(GOLDEN.mAP, 12) as number,
      error: expect.closeTo(golden.error, 12) as number,
      f1: {
        threshold: golden.threshold,
        micro: expect.closeTo(golden.micro, 12) as number,
        macro: expect.closeTo(golden.macro, 12) as number,
      },
    });
    GOLDEN.known.forEach((label, index) => {
      const { name, images, AP, precision, recall, F1 } = labels[label]!;
      expect([name, images]).toEqual([NAMES[label], GOLDEN.labels.filter((each) => each.includes(label)).length]);
      expect(AP).toBeCloseTo(GOLDEN.AP[index]!, 12);
      // Where none is said to be there scikit-learn has 0.
      expect(precision ?? 0).toBeCloseTo(golden.precision[index]!, 12);
      expect(recall).toBeCloseTo(golden.recall[index]!, 12);
      expect(F1).toBeCloseTo(golden.F1[index]!, 12);
    });
  });

  it("have no average precision and no F1 where no image has them", () => {
    expect(tally.result().labels[5]).toMatchObject({ name: "f", images: 0, AP: null, recall: null, F1: null });
    const none = new LabelTally(["a"]);
    none.add([], Float64Array.of(0.2));
    expect(none.result()).toMatchObject({ mAP: NaN, error: 0, f1: { micro: 0 } });
  });

  it("are all wrong where the scores are no numbers", () => {
    const odd = new LabelTally(["a", "b"]);
    odd.add([0], Float64Array.of(NaN, 0.1));
    odd.add([1], Float64Array.of(0.4, 0.9));
    expect(odd.notNumbers).toBe(1);
    expect(odd.result()).toMatchObject({ error: 0.5, labels: [{ AP: 0.5, F1: 0 }, { AP: 0.5 }] });
  });
});
