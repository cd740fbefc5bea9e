/** The learning rate of every update: a function of the recipe and of what training has seen, nothing else. */
import type { Recipe } from "../../compiler/recipe.js";

/** What the schedule reads of a recipe. */
export type ScheduleRecipe = Pick<Recipe, "learningRate" | "schedule" | "warmUp" | "stop">;

/** What the schedule remembers; part of every checkpoint. */
export interface ScheduleState {
  /** The error that ends a warm-up was reached. */
  readonly warm: boolean;
  /** How many times a plateau has divided the rate. */
  readonly divisions: number;
  /** Lowest validation error since the beginning, 0 to 1; undefined before the first validation. */
  readonly lowest?: number;
  /** Validations since then, or since the last division. */
  readonly waited: number;
}

/** Number of updates in all, and in an epoch. */
export interface Length {
  readonly steps: number;
  readonly stepsPerEpoch: number;
}

export const SCHEDULE_START: ScheduleState = { warm: false, divisions: 0, waited: 0 };

/** Updates that a recipe takes on a training set that gives so many batches an epoch. */
export function trainingLength({ stop }: Pick<Recipe, "stop">, stepsPerEpoch: number): Length {
  return { steps: "steps" in stop ? stop.steps : stop.epochs * stepsPerEpoch, stepsPerEpoch };
}

/** The rate of update `step`, counted from 0. */
export function learningRate(recipe: ScheduleRecipe, step: number, length: Length, state: ScheduleState): number {
  const { warmUp, learningRate: base } = recipe;
  if (warmUp?.kind === "until_error" && !state.warm) return warmUp.rate;
  if (warmUp?.kind === "steps" && step < warmUp.steps) {
    return warmUp.rate + ((base - warmUp.rate) * step) / warmUp.steps;
  }
  return scheduled(recipe, step, length, state);
}

function scheduled(recipe: ScheduleRecipe, step: number, length: Length, state: ScheduleState): number {
  const { schedule, warmUp, learningRate: base } = recipe;
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
      // From the end of the warm-up, where its length is known, to the last update.
      const start = warmUp?.kind === "steps" ? Math.min(warmUp.steps, length.steps) : 0;
      const done = Math.min(1, (step - start) / Math.max(1, length.steps - start));
      const left = schedule.kind === "cosine" ? (1 + Math.cos(Math.PI * done)) / 2 : 1 - done;
      return schedule.to + (base - schedule.to) * left;
    }
  }
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
