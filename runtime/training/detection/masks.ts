/** Masks in a detector's training. */
import type { Model } from "../../../compiler/model.js";

/** Whether objects need a mask to be trained on: data are opened with `masks: true` then. */
export function learnsMasks({ losses }: Pick<Model, "losses">): boolean {
  return losses?.targets.some(({ name }) => name === "objects.masks") === true;
}
