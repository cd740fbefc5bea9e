/**
 * Images of a batch that are mixed with one another, and their labels with them, as torchvision's reference training does
 * it. What is drawn follows from the seed and the number of the batch, so that going on draws what would have been drawn.
 */
import { MIXINGS, type MixingName, type Recipe } from "../../../compiler/recipe.js";
import type { BatchShare } from "../../data/shared-plan.js";
import { beta, randomStream, type Random } from "../../random.js";
import { cutmix } from "./cutmix.js";
import type { MixingWay, Mixture } from "./mixing.js";
import { mixup } from "./mixup.js";
import type { TargetBatch } from "../targets.js";

/** A new one is a file beside this one, a line here, and its word among a recipe's. */
const WAYS: Readonly<Record<MixingName, MixingWay>> = { mixup, cutmix };

/**
 * Batches, mixed as a recipe says; where it mixes images, labels are shares in every batch.
 *
 * @param share of the batches that these are, with the image before each part: it is mixed in, and then left out
 */
export async function* mixed(
  batches: AsyncGenerator<TargetBatch, void, void>,
  recipe: Pick<Recipe, MixingName>,
  seed: number,
  classes: number,
  share?: BatchShare,
): AsyncGenerator<TargetBatch, void, void> {
  const names = MIXINGS.filter((name) => recipe[name] !== undefined);
  for await (const batch of batches) {
    if (names.length === 0) {
      yield batch;
      continue;
    }
    const { step, images, shape, targets } = batch;
    const labels = targets["labels"]!;
    const mixture = drawMixture(recipe, names, [shape[2], shape[3]], randomStream(`mix ${seed} ${step}`));
    if (mixture) mixImages(images, shape[0], mixture);
    const whole = { ...batch, targets: { ...targets, labels: sharesOf(labels, classes, mixture?.share ?? 1) } };
    yield share?.withBefore ? withoutBefore(whole, classes, share) : whole;
  }
}

/** Without the first image of each part. */
function withoutBefore(batch: TargetBatch, classes: number, { parts, count }: BatchShare): TargetBatch {
  const own = (values: Float32Array<ArrayBuffer>, each: number): Float32Array<ArrayBuffer> => {
    const kept = new Float32Array(parts * count * each);
    for (let part = 0; part < parts; part++) {
      const start = (part * (count + 1) + 1) * each;
      kept.set(values.subarray(start, start + count * each), part * count * each);
    }
    return kept;
  };
  const [, ...shape] = batch.shape;
  const isOwn = (_: number, at: number): boolean => at % (count + 1) > 0;
  return {
    ...batch,
    shape: [parts * count, ...shape],
    images: own(batch.images, batch.images.length / batch.shape[0]),
    labels: batch.labels.filter(isOwn),
    indices: batch.indices.filter(isOwn),
    targets: { ...batch.targets, labels: own(batch.targets["labels"] as Float32Array<ArrayBuffer>, classes) },
  };
}

/** One of the ways, each as likely; undefined where the batch stays as it is. */
export function drawMixture(
  recipe: Pick<Recipe, MixingName>,
  names: readonly MixingName[],
  size: readonly [height: number, width: number],
  random: Random,
): Mixture | undefined {
  const name = names[names.length === 1 ? 0 : Math.floor(random() * names.length)]!;
  const { alpha, probability } = recipe[name]!;
  if (random() >= probability) return undefined;
  return WAYS[name].draw(beta(alpha, alpha, random), size, random);
}

/** Each image with the one before it, in place. */
export function mixImages(images: Float32Array, count: number, { mix }: Mixture): void {
  const each = images.length / count;
  const at = (index: number): Float32Array => images.subarray(index * each, (index + 1) * each);
  const last = at(count - 1).slice();
  // From the last one on, so that the one before is still as it was.
  for (let index = count - 1; index > 0; index--) mix(at(index), at(index - 1));
  mix(at(0), last);
}

/**
 * Labels, of which a share is that of the image before: float32[images, classes].
 *
 * @param labels class numbers; or of each class whether an image has it, 0 or 1
 */
export function sharesOf(labels: Int32Array | Float32Array, classes: number, share: number): Float32Array {
  const own = labels instanceof Float32Array ? labels : oneHot(labels, classes);
  const [kept, others] = [Math.fround(share), Math.fround(1 - share)];
  // The one before the first is the last.
  return own.map((value, at) => kept * value + others * own.at(at - classes)!);
}

function oneHot(labels: Int32Array, classes: number): Float32Array {
  const shares = new Float32Array(labels.length * classes);
  labels.forEach((label, index) => (shares[index * classes + label] = 1));
  return shares;
}
