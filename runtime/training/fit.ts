/**
 * Whether model, recipe, data and an earlier run fit together, and the graphs that follow from them. What differs between
 * classifiers and detectors stands with these (subject.ts).
 */
import type { Model } from "../../compiler/model.js";
import { phasesOf, type Recipe } from "../../compiler/recipe.js";
import { recipeProblems } from "../../compiler/recipe-rules.js";
import { buildTraining, gradientGraph } from "../../compiler/training/build.js";
import type { TrainingOptions, TrainingProgram } from "../../compiler/training/contract.js";
import { planPhases } from "../../compiler/training/phase-plan.js";
import type { AlgorithmChoices } from "../../compiler/tuning/choices.js";
import { relevantAlgorithms } from "../../compiler/tuning/choices.js";
import { asTrainingError, TrainingError } from "./error.js";
import { channelsFor } from "./feed.js";
import { beforePhase, type Position } from "./position.js";
import { learningRate, type TrainingLength } from "./schedule.js";
import type { TrainOptions } from "./request.js";
import type { SubjectRequest } from "./subject.js";

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
 * @param checkSubject what can be said of a classifier, or a detector
 * @throws {TrainingError | DataError}
 */
export function checkRequest(
  request: SubjectRequest,
  { best }: Pick<TrainOptions, "best">,
  checkSubject: (request: SubjectRequest) => void,
): void {
  const { model, recipe, data } = request;
  const phases = phasesOf(recipe);
  phases.forEach((phase) => checkCounts(phase));
  const problems = recipeProblems(recipe);
  const error = problems.find(({ code }) => code !== "no-effect");
  if (error) throw new TrainingError(`recipe ${recipe.name}: ${error.message}${error.help ? ` (${error.help})` : ""}`);
  if (phases.some(({ earlyStop }) => earlyStop) && data.validation.size === 0) {
    throw new TrainingError(
      `${data.name}: has no validation images, by which \`stop\` with \`patience\` could end training`,
    );
  }
  if (best && data.validation.size === 0) {
    throw new TrainingError(`${data.name}: has no validation images, by which a checkpoint could be the best`);
  }
  channelsFor(model);
  phases.forEach((phase) => checkSubject({ ...request, recipe: phase }));
  const blind = asTrainingError(() => planPhases(model, recipe)).find(
    ({ measures, recipe: { earlyStop, schedule } }) =>
      measures === "nothing" && (earlyStop !== undefined || schedule.kind === "plateau"),
  );
  if (blind) {
    throw new TrainingError(
      `phase ${blind.recipe.name}: no validation measures anything in it, by which \`patience\` or \`plateau\` could go`,
    );
  }
}

function checkCounts(recipe: Recipe): void {
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
}

/**
 * What follows where a training is made longer or shorter than it was to be; undefined where it is not.
 *
 * @throws {TrainingError} where more updates were made already
 */
export function lengthened(
  recipe: Recipe,
  position: Position,
  before: TrainingLength | undefined,
  now: TrainingLength,
  folder: string,
): string | undefined {
  const { schedule } = position;
  const step = position.step - beforePhase(position);
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
