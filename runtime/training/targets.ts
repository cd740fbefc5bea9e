/** What the data say of the images of a batch, as the graphs of a training take it. */
import type { Batch, LabelledSplit } from "../data/index.js";
import type { Targets } from "./engine.js";

/** Images, and what is known of each of them: of all views of a sample the same. */
export interface TargetBatch extends Batch {
  readonly targets: Targets;
}

/** Batches of a split with their targets. */
export async function* withTargets(
  batches: AsyncGenerator<Batch, void, void>,
  split: LabelledSplit,
): AsyncGenerator<TargetBatch, void, void> {
  for await (const batch of batches) yield { ...batch, targets: { labels: labelsOf(batch, split) } };
}

/** Class numbers. */
function labelsOf({ indices, views, shape }: Batch, split: LabelledSplit): Int32Array {
  return Int32Array.from({ length: shape[0] }, (_, image) => split.label(indices[Math.floor(image / views)]!));
}
