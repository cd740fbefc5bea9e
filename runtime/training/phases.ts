/** When stages that are frozen at first thaw: which of a program's phases an update belongs to. */
import type { Recipe } from "../../compiler/recipe.js";
import { thawGroups } from "../../compiler/training/from-recipe.js";
import { TrainingError } from "./error.js";
import type { TrainingLength } from "./schedule.js";

/** The updates (counted from 0) before which a group of stages thaws, in order. */
export function thawSteps(recipe: Pick<Recipe, "thaws">, { stepsPerEpoch }: TrainingLength): readonly number[] {
  return thawGroups(recipe).map(({ after, unit }) => after * (unit === "epoch" ? stepsPerEpoch : 1));
}

/** The phase of update `step`, both counted from 0. */
export function phaseOf(thaws: readonly number[], step: number): number {
  return thaws.filter((at) => step >= at).length;
}

/** @throws {TrainingError} where stages would not thaw before the end */
export function checkThaws(recipe: Pick<Recipe, "thaws">, length: TrainingLength): void {
  const last = thawSteps(recipe, length).at(-1);
  if (last === undefined || last < length.steps) return;
  const { stages, after, unit } = thawGroups(recipe).at(-1)!;
  throw new TrainingError(
    `freeze ${stages.join(", ")}: they would thaw after ${after} ${unit}s and training ends after ${length.steps} ` +
      `updates: freeze them for less, or write freeze without ${unit}s`,
  );
}
