/** Which images are in which batch of a detector's training: those of like proportions together. */
import { permutation } from "../../random.js";
import { checkBatch, type BatchPlan } from "../order.js";
import { DataError } from "../../data-error.js";
import type { Size } from "../../images/image.js";

/** Wide images apart from the others, as Detectron2 does (`AspectRatioGroupedDataset`): two kinds of canvas, little padding. */
export function proportionOf([height, width]: Size): 0 | 1 {
  return width > height ? 0 : 1;
}

/**
 * Images come pass after pass, each pass in an order of its own, and wait in their group until it fills a batch; then that
 * batch is next. What waits at the end of a pass goes on waiting, so that every image comes once in each pass, and none
 * is dropped or repeated to fill a batch. A batch of few images or of a rare group may hold an image of several passes.
 *
 * @param groups of each image
 * @param first as in {@link trainingPlan}: any batch can be asked for; what comes before it is gone through, in numbers alone
 * @throws {DataError} where there is no image
 */
export function groupedPlan(
  groups: readonly number[],
  batch: number,
  seed: number,
  first = 0,
  end = Infinity,
): BatchPlan {
  checkBatch(batch);
  if (groups.length === 0) throw new DataError("no image to train on");
  const perPass = Math.max(1, Math.floor(groups.length / batch));
  let stream = batchesOf(groups, batch, seed);
  let next = 0;
  return {
    first,
    end,
    at(step) {
      if (step < next) [stream, next] = [batchesOf(groups, batch, seed), 0];
      for (; next < step; next++) stream.next();
      next++;
      return { epoch: Math.floor(step / perPass), ...stream.next().value };
    },
  };
}

interface Drawn {
  readonly indices: readonly number[];
  readonly passes: readonly number[];
}

function* batchesOf(groups: readonly number[], batch: number, seed: number): Generator<Drawn, never> {
  const waiting = new Map<number, { indices: number[]; passes: number[] }>();
  for (let pass = 0; ; pass++) {
    for (const index of permutation(groups.length, `order ${seed} ${pass}`)) {
      const group = groups[index]!;
      let drawn = waiting.get(group);
      if (drawn === undefined) waiting.set(group, (drawn = { indices: [], passes: [] }));
      drawn.indices.push(index);
      drawn.passes.push(pass);
      if (drawn.indices.length < batch) continue;
      waiting.delete(group);
      yield drawn;
    }
  }
}
