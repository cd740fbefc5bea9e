/** Ranges from histograms, beside what is plain of them. */
import { describe, expect, test } from "vitest";
import { affineOf } from "../../../compiler/quantization/scale.js";
import { count, histogram } from "../../../runtime/quantization/histogram.js";
import { FROM_HISTOGRAM } from "../../../runtime/quantization/methods.js";
import { uniform } from "../../support/oracle-weights.js";

/** Normal numbers, by sums of twelve, and some that are far off. */
function normal(size: number, far: readonly number[] = []): Float32Array {
  const parts = uniform("normal", 12 * size, -0.5, 0.5);
  const values = Float32Array.from({ length: size }, (_, i) =>
    parts.subarray(12 * i, 12 * i + 12).reduce((a, b) => a + b),
  );
  return Float32Array.from([...values, ...far]);
}

function seen(values: Float32Array) {
  const made = histogram({
    min: values.reduce((a, b) => Math.min(a, b)),
    max: values.reduce((a, b) => Math.max(a, b)),
  });
  count(made, values);
  return made;
}

describe("percentile", () => {
  test("one number far off is left out, at the end where it is", () => {
    const { min, max } = FROM_HISTOGRAM.percentile(seen(normal(100_000, [60])));
    expect(max).toBeLessThan(5);
    expect(min).toBeLessThan(-3);
  });

  test("of numbers of one sign the end at 0 stays", () => {
    const { min, max } = FROM_HISTOGRAM.percentile(seen(normal(100_000, [60]).map((value) => Math.max(0, value))));
    expect(min).toBe(0);
    expect(max).toBeGreaterThan(3);
    expect(max).toBeLessThan(5);
  });
});

describe("entropy", () => {
  test("numbers far off are cut off, and the rest is not", () => {
    const { min, max } = FROM_HISTOGRAM.entropy(seen(normal(100_000, [40, -40])));
    expect(max).toBeGreaterThan(2);
    expect(max).toBeLessThan(12);
    expect(min).toBe(-max);
  });

  test("numbers that are all as frequent are kept", () => {
    const { min, max } = FROM_HISTOGRAM.entropy(seen(uniform("even", 200_000, -1, 1)));
    expect(min).toBeCloseTo(-1, 1);
    expect(max).toBeCloseTo(1, 1);
  });

  test("of all zeros the range is 0", () => {
    expect(FROM_HISTOGRAM.entropy(seen(new Float32Array(10)))).toEqual({ min: 0, max: 0 });
  });
});

describe("scales", () => {
  test.each([
    [
      { min: 0, max: 255 },
      { scale: 1, zeroPoint: 0 },
    ],
    [
      { min: -1, max: 1 },
      { scale: Math.fround(2 / 255), zeroPoint: 127 },
    ],
    [
      { min: -2.55, max: -1 },
      { scale: Math.fround(0.01), zeroPoint: 255 },
    ],
    [
      { min: 3, max: 5.1 },
      { scale: Math.fround(0.02), zeroPoint: 0 },
    ],
    [
      { min: 0, max: 0 },
      { scale: 1, zeroPoint: 0 },
    ],
  ])("%o", (range, affine) => {
    expect(affineOf(range)).toEqual(affine);
  });
});
