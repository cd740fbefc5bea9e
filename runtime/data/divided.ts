/** Data that come undivided, divided as training needs it: a part is set aside for validation. */
import { subset, type DataSet, type Split } from "./data-set.js";
import { divideImages, isShare, type HeldOut, type HeldOutChoice } from "./sources/held-out.js";

/** How images are set aside. */
export interface DivideOptions {
  /** A share (0.1) or how many. Default a tenth. */
  readonly validation?: HeldOut;
  /** Decides which they are. Default 1. */
  readonly seed?: number;
  /** How a training chose them: done again where neither is given. */
  readonly heldOut?: HeldOutChoice;
}

const USUAL_SHARE = 0.1;

/**
 * Whose training and validation images are parts of all images.
 *
 * @param files name of each image of `whole`, by which it is chosen
 * @throws {DataError} for a part that can't be set aside
 */
export function divided<S extends Split>(
  data: DataSet<S> & { readonly whole: S },
  files: readonly string[],
  { validation, heldOut, seed = heldOut?.seed ?? 1 }: DivideOptions,
): DataSet<S> {
  const share = validation ?? heldOut?.validation ?? USUAL_SHARE;
  const { name, whole, warnings } = data;
  const { kept, aside } = divideImages(name, files, share, seed);
  const how = isShare(share) ? `${(100 * share).toFixed(0)} %, seed ${seed}` : `seed ${seed}`;
  return {
    ...data,
    train: { ...subset(whole, kept), name: "train" },
    validation: { ...subset(whole, aside), name: "validation" },
    heldOut: { validation: share, seed },
    warnings: [
      ...warnings,
      `${name}: comes undivided: ${aside.length} of ${whole.size} images are set aside for validation (${how})`,
    ],
  };
}
