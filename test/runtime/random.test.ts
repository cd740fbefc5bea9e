import { describe, expect, it } from "vitest";
import { beta, randomStream } from "../../runtime/random.js";

/** Of Beta(alpha, alpha), by Simpson's rule. */
function cumulative(alpha: number, x: number): number {
  if (x > 0.5) return 1 - cumulative(alpha, 1 - x);
  // Below 1 the density has a pole at 0, which t = x^alpha takes away.
  const power = Math.min(alpha, 1);
  const density = (t: number): number => t ** ((alpha - power) / power) * (1 - t ** (1 / power)) ** (alpha - 1);
  const integral = (to: number): number => {
    const [steps, end] = [1000, to ** power];
    const weight = (at: number): number => (at === 0 || at === steps ? 1 : at % 2 === 1 ? 4 : 2);
    let sum = 0;
    for (let at = 0; at <= steps; at++) sum += weight(at) * density((at * end) / steps);
    return sum * (end / steps / 3);
  };
  return integral(x) / (2 * integral(0.5));
}

describe("numbers of a beta distribution", () => {
  const COUNT = 20_000;

  it.each([0.05, 0.2, 0.5, 1, 2, 16])("with both parameters %d are distributed as that", (alpha) => {
    const random = randomStream(`beta ${alpha}`);
    const numbers = Float64Array.from({ length: COUNT }, () => beta(alpha, alpha, random)).sort();
    // Kolmogorov and Smirnov's distance, at some places; it is larger in one of a thousand samples.
    for (const place of [1e-6, 1e-3, 0.02, 0.1, 0.2, 0.3, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 0.99, 1 - 1e-5]) {
      const below = numbers.filter((x) => x < place).length / COUNT;
      expect(Math.abs(below - cumulative(alpha, place)), `below ${place}`).toBeLessThan(1.95 / Math.sqrt(COUNT));
    }
    expect(numbers[0]).toBeGreaterThanOrEqual(0);
    expect(numbers.at(-1)).toBeLessThanOrEqual(1);
  });

  it("have the mean and the variance of unequal parameters too", () => {
    const random = randomStream("beta");
    const numbers = Array.from({ length: COUNT }, () => beta(0.6, 3, random));
    const mean = numbers.reduce((sum, x) => sum + x, 0) / COUNT;
    const variance = numbers.reduce((sum, x) => sum + (x - mean) ** 2, 0) / COUNT;
    expect(mean).toBeCloseTo(0.6 / 3.6, 2);
    expect(variance).toBeCloseTo((0.6 * 3) / (3.6 ** 2 * 4.6), 2);
  });

  it("are the same of the same seed", () => {
    const of = (): readonly number[] => {
      const random = randomStream("mix 7 12");
      return [0.2, 1, 8].map((alpha) => beta(alpha, alpha, random));
    };
    expect(of()).toEqual(of());
  });
});
