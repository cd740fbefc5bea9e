/** What the data say of the images of a batch, as the graphs of a training take it. */
import type { Batch } from "../data/batch-loader.js";
import { isLabelled, type ClassifiedSplit } from "../data/data-set.js";
import type { Targets } from "./engine.js";

/** Images, and what is known of each of them: of all views of a sample the same. */
export interface TargetBatch extends Batch {
  readonly targets: Targets;
}

/**
 * Batches of a split with their targets, by the names of the graphs' inputs.
 *
 * @param classes how many there are
 */
export async function* withTargets(
  batches: AsyncGenerator<Batch, void, void>,
  split: ClassifiedSplit,
  classes: number,
): AsyncGenerator<TargetBatch, void, void> {
  for await (const batch of batches) yield { ...batch, targets: { labels: labelsOf(batch, split, classes) } };
}

/** Class numbers [N]; of images with any number of classes 1 for each that is there, float32[N, classes]. */
function labelsOf(
  { indices, views, shape: [count] }: Batch,
  split: ClassifiedSplit,
  classes: number,
): Int32Array | Float32Array {
  const sampleOf = (image: number): number => indices[Math.floor(image / views)]!;
  if (isLabelled(split)) return Int32Array.from({ length: count }, (_, image) => split.label(sampleOf(image)));
  const labels = new Float32Array(count * classes);
  for (let image = 0; image < count; image++) {
    for (const label of split.labels(sampleOf(image))) labels[image * classes + label] = 1;
  }
  return labels;
}
