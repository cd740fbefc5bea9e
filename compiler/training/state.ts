/** What training keeps from step to step. */
import { tensor, value } from "../ir/build.js";
import type { NamedValue, Parameter, Value } from "../ir/types.js";
import type { StateTensor, TrainingOptions } from "./contract.js";
import { preparedOptimizer } from "./optimizers/index.js";
import { isInside } from "./places.js";

export interface TrainingState {
  /** Parameters and statistics in the graph's order, then what belongs to each, then the step. */
  readonly all: readonly StateTensor[];
  /** The value of a state tensor as it is before a step. */
  value(name: string): Value;
  /** Place in `all`. */
  order(name: string): number;
  readonly parameters: readonly Parameter[];
  readonly trained: readonly Parameter[];
  readonly learningRate: NamedValue;
  /** Input of graphs, where the average's decay changes. */
  readonly emaDecay?: NamedValue;
}

export function slotName(slot: string, path: string): string {
  return `${slot}.${path}`;
}

export function emaName(path: string): string {
  return `ema.${path}`;
}

/**
 * The count of updates, where the optimiser counts them. Parameters that thaw have one of their own, by the number of
 * their group: their moments begin when they do.
 */
export function stepName(group: number): string {
  return group === 0 ? "step" : `step.thaw${group}`;
}

/** 0, or the number from 1 of the group of parts that a parameter thaws with. */
export function thawGroup(path: string, { thawing = [] }: Pick<TrainingOptions, "thawing">): number {
  return thawing.findLastIndex((parts) => parts.some((part) => isInside(path, part))) + 1;
}

export function trainingState(
  parameters: readonly Parameter[],
  trained: readonly Parameter[],
  options: TrainingOptions,
): TrainingState {
  const all: StateTensor[] = [];
  const values = new Map<string, Value>();
  const add = (state: StateTensor, given = value(tensor(state.shape, state.dtype), state.name)): void => {
    all.push(state);
    values.set(state.name, given);
  };
  const like = (parameter: Parameter) => ({
    shape: parameter.value.type.shape as readonly number[],
    dtype: parameter.value.type.dtype,
    parameter: parameter.path,
  });
  for (const each of parameters) {
    const role = each.trainable ? "parameter" : "running statistic";
    add({ name: each.path, ...like(each), role, init: { kind: "parameter", path: each.path } }, each.value);
  }
  const { slots, countsSteps } = preparedOptimizer(options.optimizer);
  for (const slot of slots) {
    for (const each of trained) {
      const name = slotName(slot.name, each.path);
      add({ name, ...like(each), role: slot.role, init: { kind: "constant", value: 0 } });
    }
  }
  if (options.emaDecay !== undefined) {
    for (const each of parameters) {
      add({ name: emaName(each.path), ...like(each), role: "ema", init: { kind: "parameter", path: each.path } });
    }
  }
  if (countsSteps) {
    const groups = new Set(trained.map(({ path }) => thawGroup(path, options)));
    for (const group of [...groups].sort((a, b) => a - b)) {
      const name = stepName(group);
      add({ name, shape: [], dtype: "float32", role: "step", init: { kind: "constant", value: 0 } });
    }
  }
  const places = new Map(all.map((state, index) => [state.name, index]));
  return {
    all,
    value: (name) => values.get(name)!,
    order: (name) => places.get(name)!,
    parameters,
    trained,
    learningRate: { name: "learning_rate", value: value(tensor([]), "learning_rate") },
    ...(options.emaWarmUp && { emaDecay: { name: "ema_decay", value: value(tensor([]), "ema_decay") } }),
  };
}
