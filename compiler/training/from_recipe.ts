import type { Recipe } from "../recipe.js";
import type { TrainingOptions } from "./contract.js";

/** What a recipe says of the training graphs; device and sizes are not its business. */
export function recipeOptions(recipe: Recipe): TrainingOptions {
  return {
    optimizer: recipe.optimizer,
    batch: recipe.batch / recipe.accumulate,
    labelSmoothing: recipe.labelSmoothing,
    frozenStages: recipe.frozenStages,
    frozenBatchNorm: recipe.frozenBatchNorm,
    checkpointStages: recipe.recompute,
    precision: recipe.precision,
    ...(recipe.clipNorm !== undefined && { clipNorm: recipe.clipNorm }),
    ...(recipe.emaDecay !== undefined && { emaDecay: recipe.emaDecay }),
  };
}
