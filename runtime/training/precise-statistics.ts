/**
 * Batch norms' statistics as averages over many training images with the final weights, in place of the running
 * averages: what the paper's authors released (github.com/KaimingHe/deep-residual-networks, note 3).
 */
import type { Engine, Values } from "./engine.js";

/**
 * A state with precise statistics, which the engine is given: those of the averaged weights where there are any, for
 * those are what is validated and exported; else those of the weights.
 */
export async function withPreciseStatistics(
  engine: Engine,
  state: Values,
  batches: AsyncIterable<{ readonly images: Float32Array }>,
): Promise<Values> {
  const averaged = new Map(
    [...state].filter(([name]) => name.startsWith(EMA)).map(([n, v]) => [n.slice(EMA.length), v]),
  );
  if (averaged.size > 0) await engine.setState(new Map([...state, ...averaged]));
  const precise = await preciseStatistics(engine, batches);
  const prefix = averaged.size > 0 ? EMA : "";
  const next = new Map([...state, ...[...precise].map(([name, values]) => [`${prefix}${name}`, values] as const)]);
  await engine.setState(next);
  return next;
}

const EMA = "ema.";

/** Averages over these batches; empty where the network has no batch norms. */
export async function preciseStatistics(
  engine: Engine,
  batches: AsyncIterable<{ readonly images: Float32Array }>,
): Promise<Values> {
  const sums = new Map<string, Float64Array>();
  let count = 0;
  let kept: ReadonlyMap<string, number> | undefined;
  for await (const { images } of batches) {
    // The engine may take the buffer.
    const again = kept === undefined ? images.slice() : undefined;
    // next = kept * before + (1 - kept) * batch, linear in what was before: that of 0 and of 1 tell `kept`.
    const zero = await engine.statistics(images, 0);
    if (again) kept = shares(zero, await engine.statistics(again, 1));
    for (const [name, values] of zero) {
      const sum = sums.get(name) ?? new Float64Array(values.length);
      values.forEach((value, i) => (sum[i]! += value));
      sums.set(name, sum);
    }
    count++;
  }
  return new Map(
    [...sums].map(([name, sum]) => [name, Float32Array.from(sum, (value) => value / count / (1 - kept!.get(name)!))]),
  );
}

/** The share of the old statistic, of the channel where rounding matters least. */
function shares(zero: Values, one: Values): ReadonlyMap<string, number> {
  return new Map(
    [...zero].map(([name, without]) => {
      const least = without.reduce((best, value, i) => (Math.abs(value) < Math.abs(without[best]!) ? i : best), 0);
      return [name, one.get(name)![least]! - without[least]!];
    }),
  );
}
