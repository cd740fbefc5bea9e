/** Whether model, recipe, data and an earlier run fit together, and the graphs that follow from them. */
import path from "node:path";
import { formatDim, formatShape, isSymbolic } from "../../compiler/ir/dim.js";
import type { Model } from "../../compiler/model.js";
import type { Recipe } from "../../compiler/recipe.js";
import { buildTraining, unloweredGradients } from "../../compiler/training/build.js";
import type { TrainingOptions, TrainingProgram } from "../../compiler/training/contract.js";
import { recipeOptions } from "../../compiler/training/from_recipe.js";
import { relevantMethods, type MethodChoices } from "../../compiler/training/lowering/index.js";
import { balancedWeights, classCounts } from "../data/index.js";
import type { Device } from "../device.js";
import type { Identity } from "./checkpoint.js";
import { TrainingError } from "./error.js";
import type { Feed } from "./feed.js";
import type { TrainRequest } from "./trainer.js";

/** The part of a recipe that the course of training depends on: it may be made longer, and saved more often. */
export function settled(recipe: Recipe): unknown {
  const { stop: _stop, checkpointEvery: _checkpoint, name: _name, ...rest } = recipe;
  return rest;
}

export function checkSame(before: Identity, now: Identity, folder: string): void {
  const differs = (["target", "data", "seed"] as const).find((key) => before[key] !== now[key]);
  if (differs !== undefined) {
    throw new TrainingError(`${folder}: was begun with ${differs} ${before[differs]}, not ${now[differs]}`);
  }
  if (before.settings !== now.settings) {
    throw new TrainingError(
      `${folder}: was begun with other settings of the recipe ${before.recipe}: go on with those`,
    );
  }
}

export function evaluationBatch({ batch, accumulate }: Recipe): number {
  return Math.min(batch / accumulate, 128);
}

/**
 * What a recipe asks of the graphs, on a device.
 *
 * @param blockSize channels of a block in ONNX Runtime's blocked layout on this processor; 0: not known
 */
export function trainingOptions(
  model: Model,
  recipe: Recipe,
  feed: Feed,
  device: Device,
  blockSize: number,
): TrainingOptions {
  if (recipe.batch % recipe.accumulate !== 0) {
    throw new TrainingError(`a batch of ${recipe.batch} can't be computed in ${recipe.accumulate} equal parts`);
  }
  const image = model.graph.inputs[0]!.value.type.shape;
  const sizes: Record<string, number> = {};
  feed.size?.forEach((length, axis) => {
    const dim = image[2 + axis]!;
    if (isSymbolic(dim)) sizes[formatDim(dim)] = length;
  });
  return {
    ...recipeOptions(recipe, weightsOf(recipe, feed)),
    evaluationBatch: evaluationBatch(recipe),
    sizes,
    target: device,
    blockSize,
  };
}

/** What `balanced` comes to with these data; undefined where the recipe says something else. */
export function weightsOf({ classWeights }: Recipe, { data }: Pick<Feed, "data">): readonly number[] | undefined {
  if (classWeights !== "balanced") return undefined;
  return balancedWeights(classCounts(data.train, data.classes.length), data.classes);
}

/** @param methods measured ones, of this network's operations and perhaps of others */
export function buildProgram(model: Model, options: TrainingOptions, methods: MethodChoices): TrainingProgram {
  return told(() => buildTraining(model, { ...options, methods: ownMethods(model, options, methods) }));
}

/** What can't be trained so, as a {@link TrainingError}. */
export function told<T>(build: () => T): T {
  try {
    return build();
  } catch (error) {
    if (error instanceof RangeError || error instanceof TypeError)
      throw new TrainingError(error.message, { cause: error });
    throw error;
  }
}

function ownMethods(model: Model, options: TrainingOptions, methods: MethodChoices): MethodChoices {
  if (Object.keys(methods).length === 0) return {};
  const { target = "cpu", blockSize = 0 } = options;
  return relevantMethods(unloweredGradients(model, options), { target, block: blockSize }, methods);
}

export function checkFit(
  classes: number,
  shape: readonly number[],
  { data, names, model }: TrainRequest,
  feed: Feed,
): void {
  if (classes !== data.classes.length) {
    throw new TrainingError(
      `${data.name} has ${data.classes.length} classes, ${model.name} tells ${classes} apart: ` +
        `train ${withClasses(names.target, data.classes.length)}`,
    );
  }
  const size = feed.size;
  if (size && (shape[2] !== size[0] || shape[3] !== size[1])) {
    throw new TrainingError(
      `${data.name} gives pictures of ${size.join("x")} after the recipe's transforms, ${model.name} takes ` +
        `${formatShape(shape.slice(2)).replace(/[[\]]/g, "").replace(", ", "x")}`,
    );
  }
}

/** `ResNet50(classes: 10)` */
function withClasses(target: string, classes: number): string {
  const call = /^(.*)\((.*)\)$/s.exec(target);
  if (!call) return `"${path.extname(target) === ".resnet" ? `${target}#NAME` : target}(classes: ${classes})"`;
  const others = call[2]!
    .split(/,(?![^[(]*[\])])/)
    .filter((argument) => argument.trim() !== "" && !/^\s*classes\s*:/.test(argument));
  return `"${call[1]!}(${[...others.map((argument) => argument.trim()), `classes: ${classes}`].join(", ")})"`;
}
