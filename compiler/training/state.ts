/** What training keeps from step to step. */
import { tensor, value } from "../ir/build.js";
import type { NamedValue, Parameter, Value } from "../ir/types.js";
import type { StateTensor, TrainingOptions } from "./contract.js";
import { countsSteps, slots } from "./optimizers.js";

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
}

export function slotName(slot: string, path: string): string {
  return `${slot}.${path}`;
}

export function emaName(path: string): string {
  return `ema.${path}`;
}

export const STEP = "step";

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
  for (const slot of slots(options.optimizer)) {
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
  if (countsSteps(options.optimizer)) {
    add({ name: STEP, shape: [], dtype: "float32", role: "step", init: { kind: "constant", value: 0 } });
  }
  const places = new Map(all.map((state, index) => [state.name, index]));
  return {
    all,
    value: (name) => values.get(name)!,
    order: (name) => places.get(name)!,
    parameters,
    trained,
    learningRate: { name: "learning_rate", value: value(tensor([]), "learning_rate") },
  };
}
