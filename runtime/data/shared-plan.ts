/** Which images of a batch one of several computes: of each part of it some in a row, so that all together compute all. */
import type { BatchPlan } from "./order.js";

/** Which images of every batch are read here. */
export interface BatchShare {
  /** Parts that the batch is computed in, all of one size. */
  readonly parts: number;
  /** Of each part: the first image, how many, and of how many. */
  readonly first: number;
  readonly count: number;
  readonly of: number;
  /** The image before the first of each part comes too, ahead of it; before a batch's first comes its last. */
  readonly withBefore?: true;
}

/** The same batches, of which only these images are read. What is known of all the others stays known. */
export function sharedPlan(plan: BatchPlan, share: BatchShare | undefined): BatchPlan {
  if (share === undefined) return plan;
  return {
    ...plan,
    at(step) {
      const whole = plan.at(step);
      const places = placesOf(share);
      const own = <T>(all: readonly T[]): readonly T[] => places.map((place) => all.at(place)!);
      return {
        epoch: whole.epoch,
        indices: own(whole.indices),
        ...(whole.passes && { passes: own(whole.passes) }),
        whole,
      };
    },
  };
}

/** In the batch; -1 is its last. */
function placesOf({ parts, first, count, of, withBefore }: BatchShare): readonly number[] {
  const before = withBefore ? 1 : 0;
  return Array.from({ length: parts }, (_, part) => part * of + first - before).flatMap((start) =>
    Array.from({ length: count + before }, (_, at) => start + at),
  );
}
