/** Whether model, recipe, data and an earlier run fit together, and the graphs that follow from them. */
import path from "node:path";
import { formatShape } from "../../compiler/ir/dim.js";
import type { Model } from "../../compiler/model.js";
import { imageChannels } from "../../compiler/preprocess.js";
import type { Recipe } from "../../compiler/recipe.js";
import { recipeProblems } from "../../compiler/recipe-rules.js";
import { buildTraining, gradientGraph, requireIndependentLosses } from "../../compiler/training/build.js";
import type { TrainingOptions, TrainingProgram } from "../../compiler/training/contract.js";
import { recipeOptions } from "../../compiler/training/from-recipe.js";
import { sizesFor } from "../../compiler/training/sizes.js";
import type { AlgorithmChoices } from "../../compiler/tuning/choices.js";
import { relevantAlgorithms } from "../../compiler/tuning/choices.js";
import { balancedWeights, classCounts, classifierData, isLabelled, isMultiLabel, type DataSet } from "../data/index.js";
import type { Device } from "../onnx/device.js";
import type { Size } from "../images/image.js";
import { detectionData } from "./detection/feed.js";
import { detectorLabels, learnedObjects } from "./detection/subject.js";
import { asTrainingError, TrainingError } from "./error.js";
import type { Feed } from "./feed.js";
import type { Position } from "./position.js";
import { learningRate, type TrainingLength } from "./schedule.js";
import type { TrainOptions, TrainRequest } from "./request.js";

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
  return {
    ...recipeOptions(recipe, weightsOf(recipe, feed)),
    evaluationBatch: evaluationBatch(recipe),
    ...(isMultiLabel(feed.data.train) && { multiLabel: true }),
    sizes: sizesFor(model, feed.size),
    device,
    blockSize,
  };
}

/** The same for a detector, and images of one of its sizes. */
export function detectorOptions(
  model: Model,
  recipe: Recipe,
  canvas: Size,
  device: Device,
  blockSize: number,
): TrainingOptions {
  return { ...recipeOptions(recipe), evaluationBatch: 1, sizes: sizesFor(model, canvas), device, blockSize };
}

/** What `balanced` comes to with these data; undefined where the recipe says something else. */
export function weightsOf({ classWeights }: Recipe, { data }: Pick<Feed, "data">): readonly number[] | undefined {
  if (classWeights !== "balanced") return undefined;
  if (!isLabelled(data.train)) {
    throw new TrainingError(
      `class_weights balanced: counts the images of each class, and those of ${data.name} have any number of classes`,
    );
  }
  return balancedWeights(classCounts(data.train, data.classes.length), data.classes);
}

/** @param algorithms measured ones, of this network's operations and perhaps of others */
export function buildProgram(model: Model, options: TrainingOptions, algorithms: AlgorithmChoices): TrainingProgram {
  return asTrainingError(() =>
    buildTraining(model, { ...options, algorithms: ownAlgorithms(model, options, algorithms) }),
  );
}

function ownAlgorithms(model: Model, options: TrainingOptions, algorithms: AlgorithmChoices): AlgorithmChoices {
  if (Object.keys(algorithms).length === 0) return {};
  const { device = "cpu", blockSize = 0 } = options;
  return relevantAlgorithms(gradientGraph(model, options), { device, block: blockSize }, algorithms);
}

/**
 * What can be said before anything is opened or written: numbers that mean nothing, a detector, another number of classes.
 *
 * @throws {TrainingError | DataError}
 */
export function checkRequest({ model, recipe, data, names }: TrainRequest, { best }: TrainOptions): void {
  const { stop, seed, batch, accumulate } = recipe;
  const counts: readonly [name: string, value: number, least: number][] = [
    ["batch", batch, 1],
    ["accumulate", accumulate, 1],
    ["seed", seed, 0],
    ["steps" in stop ? "steps" : "epochs", "steps" in stop ? stop.steps : stop.epochs, 1],
    ["validate", recipe.validateEvery ?? 1, 1],
    ["checkpoint", recipe.checkpointEvery ?? 1, 1],
  ];
  for (const [name, value, least] of counts) {
    if (Number.isSafeInteger(value) && value >= least) continue;
    throw new TrainingError(`${name} must be a whole number of at least ${least}, not ${value}`);
  }
  const problems = recipeProblems(recipe);
  const error = problems.find(({ code }) => code !== "no-effect");
  if (error) throw new TrainingError(`recipe ${recipe.name}: ${error.message}${error.help ? ` (${error.help})` : ""}`);
  if (recipe.earlyStop && data.validation.size === 0) {
    throw new TrainingError(
      `${data.name}: has no validation images, by which \`stop\` with \`patience\` could end training`,
    );
  }
  if (best && data.validation.size === 0) {
    throw new TrainingError(`${data.name}: has no validation images, by which a checkpoint could be the best`);
  }
  channelsFor(model);
  if (model.detection !== undefined) return checkDetectorRequest(model, recipe, data);
  const { train } = classifierData(data);
  if (isMultiLabel(train)) asTrainingError(() => requireIndependentLosses(model, data.name));
  const classes = classesOf(model);
  if (classes !== undefined && classes !== data.classes.length) {
    throw new TrainingError(
      `${data.name} has ${data.classes.length} classes, ${model.name} tells ${classes} apart: ` +
        `train ${withClasses(names.target, data.classes.length)}`,
    );
  }
}

/** What a recipe may say that means nothing to a detector is refused. */
function checkDetectorRequest(model: Model, recipe: Recipe, data: DataSet): void {
  detectionData(data);
  learnedObjects(model);
  detectorLabels(model);
  const asked: readonly [what: string, isAsked: boolean][] = [
    ["label_smoothing", recipe.labelSmoothing > 0],
    ["class_weights", recipe.classWeights !== undefined],
    ["precise_statistics", recipe.preciseStatistics > 0],
    ["warm_up until_error", recipe.warmUp?.kind === "until_error"],
    ["test_scales", recipe.testScales !== undefined],
    ["validate raw", recipe.validateRaw === true],
    ["evaluate", recipe.evaluate.length > 0],
  ];
  for (const [what, isAsked] of asked) {
    if (isAsked)
      throw new TrainingError(`recipe ${recipe.name}: \`${what}\` is for classifiers, and ${model.name} is a detector`);
  }
}

/** By the shape of the logits; undefined where it is not one of a classifier, which is told when the graphs are built. */
function classesOf({ graph }: Model): number | undefined {
  const { shape } = (graph.outputs.find(({ name }) => name === "logits") ?? graph.outputs[0]!).value.type;
  const classes = shape[1];
  return shape.length >= 2 && typeof classes === "number" ? classes : undefined;
}

/**
 * Channels of the images that a network takes; undefined where its source leaves them open.
 *
 * @throws {TrainingError} where no image has so many
 */
export function channelsFor(model: Model): 1 | 3 | undefined {
  const channels = imageChannels(model);
  if (channels === undefined || channels === 1 || channels === 3) return channels;
  throw new TrainingError(`${model.name}: its input has ${channels} channels; an image has 3, or 1 in grey`);
}

/** That what the transforms give is what the network takes. */
export function checkFit(shape: readonly number[], { data, model }: TrainRequest, feed: Feed): void {
  if (shape[1] !== feed.channels) {
    throw new TrainingError(
      `${data.name} gives images of ${feed.channels} channels after the recipe's transforms, ${model.name} takes ${shape[1]}`,
    );
  }
  const size = feed.size;
  if (size && (shape[2] !== size[0] || shape[3] !== size[1])) {
    throw new TrainingError(
      `${data.name} gives images of ${size.join("x")} after the recipe's transforms, ${model.name} takes ` +
        `${formatShape(shape.slice(2)).replace(/[[\]]/g, "").replace(", ", "x")}`,
    );
  }
}

/**
 * What follows where a training is made longer or shorter than it was to be; undefined where it is not.
 *
 * @throws {TrainingError} where more updates were made already
 */
export function lengthened(
  recipe: Recipe,
  { step, schedule }: Position,
  before: TrainingLength | undefined,
  now: TrainingLength,
  folder: string,
): string | undefined {
  if (step > now.steps) {
    throw new TrainingError(
      `${folder}: has made ${count(step)} updates already, more than the ${count(now.steps)} asked for`,
    );
  }
  if (before === undefined || before.steps === now.steps) return undefined;
  const what = `${count(now.steps)} updates in place of ${count(before.steps)}`;
  const [old, rate] = [before, now].map((length) => learningRate(recipe, step, length, schedule));
  const isFree = !["cosine", "linear", "one_cycle"].includes(recipe.schedule.kind);
  if (isFree) return `${what}: the learning rate does not depend on the length`;
  const warmUp = recipe.warmUp === undefined ? "" : "; the warm-up is not made again";
  return (
    `${what}: from here on the learning rate is that of a ${recipe.schedule.kind} schedule over ${count(now.steps)}: ` +
    `${rate!.toPrecision(3)} at update ${count(step + 1)}, not ${old!.toPrecision(3)}${warmUp}`
  );
}

function count(value: number): string {
  return value.toLocaleString("en-US");
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
