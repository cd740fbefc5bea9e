import { describe, expect, it } from "vitest";
import {
  afterEpoch,
  afterValidation,
  learningRate,
  SCHEDULE_START,
  trainingLength,
  type ScheduleRecipe,
  type ScheduleState,
} from "../../../runtime/training/schedule.js";
import { RECIPE_GOLDEN } from "../../support/recipe-golden.js";

const base: ScheduleRecipe = { learningRate: 0.1, schedule: { kind: "constant" }, stop: { steps: 100 } };
const length = { steps: 100, stepsPerEpoch: 10 };
const rates = (recipe: ScheduleRecipe, steps: readonly number[], state = SCHEDULE_START): number[] =>
  steps.map((step) => Number(learningRate(recipe, step, length, state).toPrecision(10)));

describe("the learning rate", () => {
  it("is constant", () => {
    expect(rates(base, [0, 50, 99])).toEqual([0.1, 0.1, 0.1]);
  });

  it("is divided at updates: section 4.2", () => {
    const recipe: ScheduleRecipe = {
      ...base,
      schedule: { kind: "divide", by: 10, at: [32_000, 48_000], unit: "step" },
      stop: { steps: 64_000 },
    };
    expect(rates(recipe, [0, 31_999, 32_000, 47_999, 48_000, 63_999])).toEqual([0.1, 0.1, 0.01, 0.01, 0.001, 0.001]);
  });

  it("is divided at epochs", () => {
    const recipe: ScheduleRecipe = { ...base, schedule: { kind: "divide", by: 2, at: [1, 3], unit: "epoch" } };
    expect(rates(recipe, [9, 10, 29, 30])).toEqual([0.1, 0.05, 0.05, 0.025]);
  });

  it("falls as half a cosine, and in a straight line, from the end of the warm-up", () => {
    const warmUp = { kind: "steps", rate: 0.02, steps: 20 } as const;
    const cosine: ScheduleRecipe = { ...base, schedule: { kind: "cosine", to: 0 }, warmUp };
    expect(rates(cosine, [0, 10, 20, 40, 60, 100])).toEqual([0.02, 0.06, 0.1, 0.08535533906, 0.05, 0]);
    const linear: ScheduleRecipe = { ...base, schedule: { kind: "linear", to: 0.01 }, warmUp };
    expect(rates(linear, [20, 60, 100])).toEqual([0.1, 0.055, 0.01]);
  });

  it("rises for so many epochs", () => {
    const recipe: ScheduleRecipe = { ...base, warmUp: { kind: "epochs", rate: 0.02, epochs: 2 } };
    expect(rates(recipe, [0, 10, 19, 20, 90])).toEqual([0.02, 0.06, 0.096, 0.1, 0.1]);
    const cosine: ScheduleRecipe = { ...recipe, schedule: { kind: "cosine", to: 0 } };
    expect(rates(cosine, [20, 60, 100])).toEqual([0.1, 0.05, 0]);
  });

  it.each([
    ["one_cycle", { kind: "one_cycle", pctStart: 0.3, divFactor: 25, finalDivFactor: 1e4, anneal: "cosine" }],
    ["one_cycle_linear", { kind: "one_cycle", pctStart: 0.25, divFactor: 10, finalDivFactor: 100, anneal: "linear" }],
    ["restarts", { kind: "cosine_restarts", every: 8, unit: "step", multiply: 1, to: 0.01 }],
    ["restarts_growing", { kind: "cosine_restarts", every: 5, unit: "step", multiply: 2, to: 0 }],
  ] as const)("%s is PyTorch's", (name, schedule) => {
    const golden = RECIPE_GOLDEN.schedules[name]!;
    const recipe: ScheduleRecipe = { learningRate: 0.4, schedule, stop: { steps: golden.length } };
    const own = golden.map((_, step) =>
      learningRate(recipe, step, { steps: golden.length, stepsPerEpoch: 10 }, SCHEDULE_START),
    );
    golden.forEach((rate, step) => expect(Math.abs(own[step]! / rate - 1), `update ${step}`).toBeLessThan(1e-8));
  });

  it("begins its cycles after the warm-up, and counts them in epochs", () => {
    const schedule = { kind: "cosine_restarts", every: 1, unit: "epoch", multiply: 2, to: 0 } as const;
    const warmUp = { kind: "steps", rate: 0, steps: 10 } as const;
    expect(rates({ ...base, schedule, warmUp }, [10, 15, 20, 30, 40])).toEqual([0.1, 0.05, 0.1, 0.05, 0.1]);
  });

  it("of one cycle is a number, however short the training", () => {
    for (const steps of [1, 2, 3, 4, 5]) {
      for (const pctStart of [0, 0.3, 1]) {
        const schedule = { kind: "one_cycle", pctStart, divFactor: 25, finalDivFactor: 1e4, anneal: "cosine" } as const;
        for (let step = 0; step < steps; step++) {
          const rate = learningRate({ ...base, schedule }, step, { steps, stepsPerEpoch: 1 }, SCHEDULE_START);
          expect(rate, `${step} of ${steps}, ${pctStart}`).toBeGreaterThan(0);
          expect(rate).toBeLessThanOrEqual(0.1);
        }
      }
    }
  });

  it("waits for a training error: ResNet-110", () => {
    const recipe: ScheduleRecipe = { ...base, warmUp: { kind: "until_error", rate: 0.01, error: 0.8 } };
    expect(rates(recipe, [0, 500])).toEqual([0.01, 0.01]);
    const cold = afterEpoch(recipe, SCHEDULE_START, 0.8);
    expect(rates(recipe, [500], cold)).toEqual([0.01]);
    const warm = afterEpoch(recipe, cold, 0.79);
    expect(rates(recipe, [500], warm)).toEqual([0.1]);
    expect(afterEpoch(recipe, warm, 0.9).warm).toBe(true);
  });

  it("is divided on a plateau, a limited number of times", () => {
    const recipe: ScheduleRecipe = { ...base, schedule: { kind: "plateau", by: 10, patience: 2, times: 2 } };
    let state: ScheduleState = SCHEDULE_START;
    const seen = [0.5, 0.4, 0.4, 0.41, 0.39, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4].map((error) => {
      state = afterValidation(recipe, state, error);
      return rates(recipe, [0], state)[0];
    });
    expect(seen).toEqual([0.1, 0.1, 0.1, 0.01, 0.01, 0.01, 0.001, 0.001, 0.001, 0.001, 0.001]);
    expect(state.lowest).toBe(0.39);
  });

  it("knows how long training is", () => {
    expect(trainingLength({ stop: { steps: 7 } }, 10)).toEqual({ steps: 7, stepsPerEpoch: 10 });
    expect(trainingLength({ stop: { epochs: 7 } }, 10)).toEqual({ steps: 70, stepsPerEpoch: 10 });
  });
});
