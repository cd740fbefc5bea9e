/** What is computed in a training and how long it takes, as it follows from model, recipe and data; and what is told of it. */
import type { ParameterValues } from "../../compiler/emit/parameters.js";
import type { Model } from "../../compiler/model.js";
import type { Recipe } from "../../compiler/recipe.js";
import type { TrainingOptions, TrainingProgram } from "../../compiler/training/contract.js";
import type { AlgorithmChoices } from "../../compiler/tuning/choices.js";
import type { DataSet } from "../data/data-set.js";
import { frozenAtRandom, noticesOf } from "./beginning.js";
import { saysGrey } from "./feed.js";
import { buildProgram } from "./fit.js";
import { checkThaws } from "./phases.js";
import type { TrainEvent } from "./request.js";
import { trainingLength, type TrainingLength } from "./schedule.js";
import type { Subject } from "./subject.js";

/** Of a detector one for each size of images, with the same state. */
export type Programs = readonly [TrainingProgram, ...TrainingProgram[]];

export interface TrainingPlan {
  readonly settings: readonly [TrainingOptions, ...TrainingOptions[]];
  /** The program with these algorithms, as far as it has a use for them. */
  readonly build: (algorithms: AlgorithmChoices) => Programs;
  readonly length: TrainingLength;
}

/** @throws {TrainingError} where stages would not thaw before the end */
export function planTraining(
  model: Model,
  recipe: Recipe,
  feed: Pick<Subject, "stepsPerEpoch">,
  settings: TrainingPlan["settings"],
): TrainingPlan {
  const length = trainingLength(recipe, feed.stepsPerEpoch);
  checkThaws(recipe, length);
  const build = (algorithms: AlgorithmChoices): Programs =>
    settings.map((each) => buildProgram(model, each, algorithms)) as [TrainingProgram, ...TrainingProgram[]];
  return { settings, build, length };
}

/** What a training begins with. */
export interface Beginning {
  readonly model: Model;
  readonly recipe: Recipe;
  readonly data: DataSet;
  readonly feed: Subject;
  readonly settings: TrainingOptions;
  /** Those that the user gave, and those before the first update: absent where it goes on from a checkpoint. */
  readonly weights: ParameterValues | undefined;
  readonly before: { readonly weights: ParameterValues | undefined } | undefined;
}

/** Says what may be a mistake, and what may not be expected. */
export function tellBeginning(
  { model, recipe, data, feed, settings, weights, before }: Beginning,
  emit: (event: TrainEvent) => void,
): void {
  if (feed.channels === 1 && !saysGrey(recipe.train)) {
    const message = `${model.name} takes one channel: images are turned to grey (ITU-R 601-2 luma)`;
    emit({ kind: "warning", message });
  }
  const notices = noticesOf(model, recipe, settings, weights, data.classes);
  const frozen = before ? frozenAtRandom(model, recipe, before.weights) : [];
  const unjudged = data.validation.size > 0 ? [] : [`${data.name}: has no validation images: nothing is validated`];
  [...notices, ...frozen, ...feed.notices, ...unjudged].forEach((message) => emit({ kind: "notice", message }));
  feed.warnings.forEach((message) => emit({ kind: "warning", message }));
}
