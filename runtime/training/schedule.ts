/** The learning rate of every update: a function of the recipe and of what training has seen, nothing else. */
import type { Recipe, Schedule, WarmUp } from "../../compiler/recipe.js";

/** What the schedule reads of a recipe. */
export type ScheduleRecipe = Pick<Recipe, "learningRate" | "schedule" | "warmUp" | "stop">;

/** What the schedule remembers; part of every checkpoint. */
export interface ScheduleState {
  /** The error that ends a warm-up was reached. */
  readonly warm: boolean;
  /** How many times a plateau has divided the rate. */
  readonly divisions: number;
  /** Lowest validation error (1 - mAP, where that is compared) since the beginning, 0 to 1; undefined before the first validation. */
  readonly lowest?: number;
  /** Validations since then, or since the last division. */
  readonly waited: number;
}

/** Number of updates in all, and in an epoch. */
export interface TrainingLength {
  readonly steps: number;
  readonly stepsPerEpoch: number;
}

export const SCHEDULE_START: ScheduleState = { warm: false, divisions: 0, waited: 0 };

/** Updates that a recipe takes on a training set that gives so many batches an epoch. */
export function trainingLength({ stop }: Pick<Recipe, "stop">, stepsPerEpoch: number): TrainingLength {
  return { steps: "steps" in stop ? stop.steps : stop.epochs * stepsPerEpoch, stepsPerEpoch };
}

/** The rate of update `step`, counted from 0. */
export function learningRate(
  recipe: ScheduleRecipe,
  step: number,
  length: TrainingLength,
  state: ScheduleState,
): number {
  const { warmUp, learningRate: base } = recipe;
  if (warmUp?.kind === "until_error" && !state.warm) return warmUp.rate;
  const warming = warmUpSteps(warmUp, length);
  if (warmUp !== undefined && step < warming) return warmUp.rate + ((base - warmUp.rate) * step) / warming;
  return scheduled(recipe, step, length, state);
}

/** Updates of a warm-up whose length is known; 0 for one that a training error ends. */
function warmUpSteps(warmUp: WarmUp | undefined, { stepsPerEpoch }: TrainingLength): number {
  if (warmUp?.kind === "steps") return warmUp.steps;
  return warmUp?.kind === "epochs" ? warmUp.epochs * stepsPerEpoch : 0;
}

function scheduled(recipe: ScheduleRecipe, step: number, length: TrainingLength, state: ScheduleState): number {
  const { schedule, learningRate: base } = recipe;
  // From the end of the warm-up, where its length is known.
  const start = Math.min(warmUpSteps(recipe.warmUp, length), length.steps);
  switch (schedule.kind) {
    case "constant":
      return base;
    case "divide": {
      const unit = schedule.unit === "epoch" ? length.stepsPerEpoch : 1;
      return base / schedule.by ** schedule.at.filter((at) => step >= at * unit).length;
    }
    case "plateau":
      return base / schedule.by ** state.divisions;
    case "cosine":
    case "linear": {
      const done = Math.min(1, (step - start) / Math.max(1, length.steps - start));
      const left = schedule.kind === "cosine" ? (1 + Math.cos(Math.PI * done)) / 2 : 1 - done;
      return schedule.to + (base - schedule.to) * left;
    }
    case "one_cycle":
      return oneCycle(schedule, base, step, length.steps);
    case "cosine_restarts": {
      const first = schedule.every * (schedule.unit === "epoch" ? length.stepsPerEpoch : 1);
      return (
        schedule.to + ((base - schedule.to) * (1 + Math.cos(Math.PI * cycleShare(step - start, first, schedule)))) / 2
      );
    }
  }
}

/** As torch.optim.lr_scheduler.OneCycleLR in two phases, whose highest rate is at update pctStart * steps - 1. */
function oneCycle(
  { pctStart, divFactor, finalDivFactor, anneal }: Extract<Schedule, { kind: "one_cycle" }>,
  highest: number,
  step: number,
  steps: number,
): number {
  const first = highest / divFactor;
  const last = steps - 1;
  // A training of a few updates, which PyTorch refuses, has no way up or no way down.
  const top = Math.min(last, Math.max(0, pctStart * steps - 1));
  const between = (from: number, to: number, share: number): number =>
    anneal === "linear" ? from + (to - from) * share : to + ((from - to) * (1 + Math.cos(Math.PI * share))) / 2;
  if (step <= top) return between(first, highest, top === 0 ? 1 : step / top);
  return between(highest, first / finalDivFactor, Math.min(1, (step - top) / (last - top)));
}

/** How much of its cycle is over, 0 to 1: cycles of `first`, `first * multiply`, ... updates. */
function cycleShare(step: number, first: number, { multiply }: { readonly multiply: number }): number {
  if (multiply === 1) return (step % first) / first;
  let [begin, size] = [0, first];
  while (step >= begin + size) [begin, size] = [begin + size, size * multiply];
  return (step - begin) / size;
}

/** After the last update of an epoch, whose training error (0 to 1) may end the warm-up. */
export function afterEpoch({ warmUp }: ScheduleRecipe, state: ScheduleState, trainingError: number): ScheduleState {
  const warm = state.warm || (warmUp?.kind === "until_error" && trainingError < warmUp.error);
  return { ...state, warm };
}

/** After a validation; a plateau is `patience` of them without an error lower than all before. */
export function afterValidation({ schedule }: ScheduleRecipe, state: ScheduleState, error: number): ScheduleState {
  if (state.lowest === undefined || error < state.lowest) return { ...state, lowest: error, waited: 0 };
  const waited = state.waited + 1;
  const divides = schedule.kind === "plateau" && waited >= schedule.patience && state.divisions < schedule.times;
  return divides ? { ...state, divisions: state.divisions + 1, waited: 0 } : { ...state, waited };
}
