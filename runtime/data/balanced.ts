/** Training batches in which every class comes equally often, however many samples it has. */
import type { LabelledSplit } from "./data-set.js";
import { DataError } from "../data-error.js";
import { batchesPerEpoch, checkBatch, type BatchPlan } from "./order.js";
import { permutation } from "../random.js";

/**
 * Rounds of one sample of each class, in an order of their own; batches take from one round after the other. Of a class
 * all samples come before one comes again: what PyTorch's WeightedRandomSampler does in the mean, without its luck. An
 * epoch is as many batches as there would be without, so rare samples come several times in it, augmented anew.
 *
 * Classes without samples are left out.
 *
 * @param first as in {@link trainingPlan}
 * @throws {DataError} where the split is smaller than a batch
 */
export function balancedPlan(split: LabelledSplit, batch: number, seed: number, first = 0, end = Infinity): BatchPlan {
  checkBatch(batch);
  const perEpoch = batchesPerEpoch(split.size, batch);
  if (perEpoch === 0) throw new DataError(`${split.size} training images are fewer than a batch of ${batch}`);
  const members = samplesByClass(split);
  const labels = [...members.keys()].sort((a, b) => a - b);
  const turns = remembered((round) => permutation(labels.length, `turns ${seed} ${round}`));
  const orders = new Map(
    labels.map((label) => {
      const size = members.get(label)!.length;
      return [label, remembered((pass) => permutation(size, `order ${seed} ${label} ${pass}`))] as const;
    }),
  );
  return {
    first,
    end,
    at(step) {
      const drawn = Array.from({ length: batch }, (_, place) => {
        const number = step * batch + place;
        const round = Math.floor(number / labels.length);
        const label = labels[turns(round)[number % labels.length]!]!;
        const samples = members.get(label)!;
        const pass = Math.floor(round / samples.length);
        return { index: samples[orders.get(label)!(pass)[round % samples.length]!]!, pass };
      });
      return {
        epoch: Math.floor(step / perEpoch),
        indices: drawn.map(({ index }) => index),
        passes: drawn.map(({ pass }) => pass),
      };
    },
  };
}

/** Number of training samples of each class. */
export function classCounts(split: LabelledSplit, classes: number): readonly number[] {
  const counts = new Array<number>(classes).fill(0);
  for (let index = 0; index < split.size; index++) counts[split.label(index)]!++;
  return counts;
}

/**
 * Weights in inverse proportion to the counts: samples / (classes * count), whose mean over all samples is 1.
 *
 * @throws {DataError} where a class has no sample
 */
export function balancedWeights(counts: readonly number[], names: readonly string[]): readonly number[] {
  const empty = counts.findIndex((count) => count === 0);
  if (empty >= 0) {
    throw new DataError(`class_weights balanced: there is no training image of ${names[empty] ?? `class ${empty}`}`);
  }
  const total = counts.reduce((sum, count) => sum + count, 0);
  return counts.map((count) => total / (counts.length * count));
}

function samplesByClass(split: LabelledSplit): ReadonlyMap<number, readonly number[]> {
  const members = new Map<number, number[]>();
  for (let index = 0; index < split.size; index++) {
    const label = split.label(index);
    const known = members.get(label);
    if (known) known.push(index);
    else members.set(label, [index]);
  }
  return members;
}

/** The last value is kept: batches are asked for one after the other. */
function remembered(make: (key: number) => Uint32Array): (key: number) => Uint32Array {
  let last: { readonly key: number; readonly value: Uint32Array } | undefined;
  return (key) => {
    if (last?.key !== key) last = { key, value: make(key) };
    return last.value;
  };
}
