/** What a training begins as, and what is to be told of it: what a recipe leaves to the data and the weights. */
import type { ParameterValues } from "../../compiler/emit/parameters.js";
import type { Model } from "../../compiler/model.js";
import { mixesImages, MIXINGS, type Recipe } from "../../compiler/recipe.js";
import type { TrainingOptions } from "../../compiler/training/contract.js";
import { isInside } from "../../compiler/training/places.js";
import { zeroInitResidual } from "../../compiler/training/zero-init.js";
import { firstFew } from "../few.js";
import { asTrainingError } from "./error.js";

/** The network with the initial values that the recipe says. */
export function beginning({ model, recipe }: { readonly model: Model; readonly recipe: Recipe }): Model {
  return recipe.zeroInitResidual ? asTrainingError(() => zeroInitResidual(model)) : model;
}

/** One line each. */
export function noticesOf(
  model: Model,
  recipe: Recipe,
  { classWeights, multiLabel = false }: TrainingOptions,
  weights: ParameterValues | undefined,
  classes: readonly string[],
): readonly string[] {
  return [
    ...(recipe.classWeights === "balanced" && classWeights ? [weightsLine(classWeights, classes)] : []),
    ...(model.passedOverLosses ? [passedOverLine(model.name, model.passedOverLosses)] : []),
    ...(multiLabel ? [LABELS_LINE] : []),
    ...(mixesImages(recipe) ? [mixingLine(recipe, multiLabel)] : []),
    ...(recipe.zeroInitResidual && weights
      ? ["zero_init_residual holds only for scales that the weights do not give"]
      : []),
  ];
}

/** One line, where parts are to stay as they are and are nothing yet. */
export function frozenAtRandom(
  model: Model,
  { frozenStages }: Recipe,
  weights: ParameterValues | undefined,
): readonly string[] {
  const random = model.graph.parameters.filter(
    ({ role, path }) => role === "weight" && weights?.get(path) === undefined,
  );
  const parts = frozenStages.filter((stage) => random.some(({ path }) => isInside(path, stage)));
  return parts.length === 0
    ? []
    : [`frozen at random values: ${firstFew(parts)}; give them weights (--weights), or do not freeze them`];
}

/** What a part is trained by is not known to be what the whole is. */
function passedOverLine(name: string, losses: readonly string[]): string {
  const [these, verb] = losses.length === 1 ? ["a loss", "is"] : [`${losses.length} losses`, "are"];
  return `${name}: ${these} of networks that are parts of it (${firstFew(losses)}) ${verb} not its own, and passed over`;
}

const LABELS_LINE =
  "images have any number of labels: the best weights are those of the highest mAP; the error is the share of images of which not every label is right at one half";

function mixingLine(recipe: Recipe, multiLabel: boolean): string {
  const names = MIXINGS.filter((name) => recipe[name] !== undefined);
  const counted = multiLabel ? "labels with more than half" : "the class with the larger share";
  return `${names.join(" or ")}: of an image that is mixed of two, the training error counts ${counted}`;
}

/** `class weights from 0.5 (cat) to 4.2 (dog)` */
function weightsLine(weights: readonly number[], classes: readonly string[]): string {
  const order = weights.map((weight, index) => ({ weight, name: classes[index] ?? String(index) }));
  order.sort((a, b) => a.weight - b.weight);
  const [least, most] = [order[0]!, order.at(-1)!];
  const shown = ({ weight, name }: typeof least): string => `${weight.toPrecision(3)} (${name})`;
  return `class weights, by inverse frequency: from ${shown(least)} to ${shown(most)}`;
}
