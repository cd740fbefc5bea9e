/** Ends a training that has stopped getting better: a function of the recipe and of the validations so far. */
import type { EarlyStop } from "../../compiler/recipe.js";

/** What is remembered from one validation to the next; part of every checkpoint. */
export interface Progress {
  /** Lowest validation error (1 - mAP or 1 - AP, where that is compared) that was an improvement, 0 to 1. */
  readonly lowest: number;
  /** Validations since then. */
  readonly waited: number;
}

/** After a validation with this error. */
export function progressAfter(stop: EarlyStop, before: Progress | undefined, error: number): Progress {
  // Equal is no improvement, whatever the least one is.
  if (before === undefined || error < before.lowest - stop.minDelta) return { lowest: error, waited: 0 };
  return { lowest: before.lowest, waited: before.waited + 1 };
}

/**
 * Why training ends now, for people; undefined where it goes on.
 *
 * @param measure what validations are compared by
 */
export function reasonToStop(
  stop: EarlyStop | undefined,
  progress: Progress | undefined,
  measure: "error" | "mAP" | "AP" | "AR" = "error",
): string | undefined {
  if (stop === undefined || progress === undefined || progress.waited < stop.patience) return undefined;
  const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;
  const least = stop.minDelta > 0 ? ` by more than ${percent(stop.minDelta)}` : "";
  const validations = `${progress.waited} validation${progress.waited === 1 ? "" : "s"}`;
  return measure !== "error"
    ? `the validation ${measure} has not risen above ${percent(1 - progress.lowest)}${least} for ${validations}`
    : `the validation error has not fallen below ${percent(progress.lowest)}${least} for ${validations}`;
}
