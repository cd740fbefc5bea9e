/** What a recipe says of the training graphs. */
import { mixesImages, type Recipe, type Thaw } from "../recipe.js";
import type { TrainingOptions } from "./contract.js";

/**
 * Device and sizes are not a recipe's business, and what `class_weights balanced` comes to only the data know.
 *
 * @param classWeights in place of `balanced`
 */
export function recipeOptions(recipe: Recipe, classWeights?: readonly number[]): TrainingOptions {
  const weights = classWeights ?? recipe.classWeights;
  if (weights === "balanced") {
    throw new RangeError("class_weights balanced needs a data set to count: give a list of weights instead");
  }
  const thawing = thawGroups(recipe).map(({ stages }) => stages);
  return {
    optimizer: recipe.optimizer,
    batch: recipe.batch / recipe.accumulate,
    labelSmoothing: recipe.labelSmoothing,
    ...(recipe.learned && { learned: recipe.learned }),
    ...(recipe.proposals !== undefined && { givenProposals: true }),
    frozenStages: recipe.frozenStages,
    frozenBatchNorm: recipe.frozenBatchNorm,
    checkpointStages: recipe.recompute,
    precision: recipe.precision,
    ...(mixesImages(recipe) && { softLabels: true }),
    ...(weights !== undefined && { classWeights: weights }),
    ...(thawing.length > 0 && { thawing }),
    ...(recipe.stageRates && { stageRates: recipe.stageRates }),
    ...(recipe.parameterRates && { parameterRates: recipe.parameterRates }),
    ...(recipe.clipNorm !== undefined && { clipNorm: recipe.clipNorm }),
    ...(recipe.gradientNorm && { gradientNorm: true }),
    ...(recipe.emaDecay !== undefined && { emaDecay: recipe.emaDecay }),
    ...(recipe.emaDecay !== undefined && recipe.emaWarmUp && { emaWarmUp: true }),
  };
}

/** Stages that thaw together as one, the first first. All of a recipe are in one unit. */
export function thawGroups({ thaws = [] }: Pick<Recipe, "thaws">): readonly Thaw[] {
  const moments = [...new Set(thaws.map(({ after }) => after))].sort((a, b) => a - b);
  return moments.map((after) => {
    const together = thaws.filter((each) => each.after === after);
    return { stages: together.flatMap(({ stages }) => stages), after, unit: together[0]!.unit };
  });
}
