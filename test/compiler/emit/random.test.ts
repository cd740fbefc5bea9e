import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { initialValues } from "../../../compiler/emit/initialise.js";
import { logarithm, randomStream } from "../../../compiler/emit/random.js";

const he = { kind: "he_normal", fanIn: 8 } as const;

function moments(values: Float32Array): { mean: number; std: number; kurtosis: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const moment = (power: number): number =>
    values.reduce((sum, value) => sum + (value - mean) ** power, 0) / values.length;
  return { mean, std: Math.sqrt(moment(2)), kurtosis: moment(4) / moment(2) ** 2 };
}

describe("initial values", () => {
  it("are normal with He's standard deviation", () => {
    const { mean, std, kurtosis } = moments(initialValues(he, 400_000, "w", 1));
    expect(mean).toBeCloseTo(0, 2);
    expect(std).toBeCloseTo(0.5, 2);
    expect(kurtosis).toBeCloseTo(3, 1);
  });

  it("are uniform between the bounds", () => {
    const values = initialValues({ kind: "uniform", bound: 3 }, 100_000, "w", 1);
    const { mean, std } = moments(values);
    expect(mean).toBeCloseTo(0, 1);
    expect(std).toBeCloseTo(Math.sqrt(3), 1);
    expect(Math.max(...values.subarray(0, 50_000).map(Math.abs))).toBeLessThanOrEqual(3);
  });

  it("are the same on every machine", () => {
    // From a second implementation, in Python.
    expect([...initialValues(he, 6, "conv1.weight", 0)]).toEqual(GOLDEN);
  });

  it("depend on seed and path, not on each other", () => {
    const values = initialValues(he, 1000, "conv1.weight", 7);
    expect(initialValues(he, 1000, "conv1.weight", 7)).toEqual(values);
    expect(initialValues(he, 10, "conv1.weight", 7)).toEqual(values.subarray(0, 10));
    for (const other of [initialValues(he, 1000, "conv2.weight", 7), initialValues(he, 1000, "conv1.weight", 8)]) {
      const dot = values.reduce((sum, value, index) => sum + value * other[index]!, 0);
      expect(Math.abs(dot / (1000 * 0.25))).toBeLessThan(0.15);
    }
  });

  it("of a stream fill [0, 1) evenly", () => {
    const random = randomStream("evenly");
    const bins = new Uint32Array(16);
    for (let draw = 0; draw < 160_000; draw += 1) bins[Math.floor(random() * 16)]! += 1;
    for (const count of bins) expect(Math.abs(count - 10_000)).toBeLessThan(500);
  });
});

describe("logarithm", () => {
  it("is Math.log to the last digits", () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-300, max: 1e300, noNaN: true }), (x) => {
        const expected = Math.log(x);
        expect(Math.abs(logarithm(x) - expected)).toBeLessThanOrEqual(4e-16 * Math.max(1, Math.abs(expected)));
      }),
      { numRuns: 2000 },
    );
  });
});

const GOLDEN: readonly number[] = [
  0.46320971846580505, 0.47232553362846375, 0.6669673323631287, 0.2254417985677719, -0.2845771908760071,
  -0.35472750663757324,
];
