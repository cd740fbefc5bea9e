/** Which samples are in which batch: a function of the seed and the number of the batch, so that any can be asked for. */
import { DataError } from "../data-error.js";
import { permutation } from "../random.js";

export interface BatchPlan {
  /** The first batch, and the one after the last; infinite where there is no end. */
  readonly first: number;
  readonly end: number;
  readonly at: (step: number) => PlannedBatch;
}

export interface PlannedBatch {
  readonly epoch: number;
  readonly indices: readonly number[];
  /** How often each of them came before, where that is not the epoch: its augmentation follows from it. */
  readonly passes?: readonly number[];
  /** What this is only a share of. */
  readonly whole?: PlannedBatch;
}

/** Batches of an epoch: what is left over at its end is dropped. */
export function batchesPerEpoch(size: number, batch: number): number {
  return Math.floor(size / batch);
}

/**
 * Epoch after epoch, each in an order of its own.
 *
 * @param first the first batch, counted from the beginning of the training: going on gives what would have come
 * @throws {DataError} where the split is smaller than a batch
 */
export function trainingPlan(size: number, batch: number, seed: number, first = 0, end = Infinity): BatchPlan {
  checkBatch(batch);
  const perEpoch = batchesPerEpoch(size, batch);
  if (perEpoch === 0) throw new DataError(`${size} training images are fewer than a batch of ${batch}`);
  let epoch = -1;
  let order: Uint32Array = new Uint32Array();
  return {
    first,
    end,
    at(step) {
      const now = Math.floor(step / perEpoch);
      if (now !== epoch) {
        order = permutation(size, `order ${seed} ${now}`);
        epoch = now;
      }
      const start = (step % perEpoch) * batch;
      return { epoch: now, indices: [...order.subarray(start, start + batch)] };
    },
  };
}

/** Every sample once, in the split's order; the last batch may be smaller. */
export function evaluationPlan(size: number, batch: number): BatchPlan {
  checkBatch(batch);
  return {
    first: 0,
    end: Math.ceil(size / batch),
    at(step) {
      const length = Math.min(batch, size - step * batch);
      return { epoch: 0, indices: Array.from({ length }, (_, i) => step * batch + i) };
    },
  };
}

export function checkBatch(batch: number): void {
  if (!Number.isInteger(batch) || batch < 1) throw new DataError(`a batch of ${batch} images is not possible`);
}
