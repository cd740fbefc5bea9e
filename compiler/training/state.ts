/** What training keeps from step to step. */
import { tensor, value } from "../ir/build.js";
import type { NamedValue, Parameter, Value } from "../ir/types.js";
import type { HeldTensor, StateTensor, TrainingOptions } from "./contract.js";
import { groupsOf, hold } from "./held.js";
import { preparedOptimizer } from "./optimizers/index.js";
import { thawGroup } from "./places.js";

export interface TrainingState {
  /** Parameters and statistics in the graph's order, then what belongs to each, then the step. */
  readonly all: readonly StateTensor[];
  /** The same as graphs hold it. */
  readonly held: readonly HeldTensor[];
  /** The value of a state tensor, or of a held one, as it is before a step. */
  value(name: string): Value;
  /** Place in `held`. */
  order(name: string): number;
  readonly parameters: readonly Parameter[];
  readonly trained: readonly Parameter[];
  /** Parameters and statistics as they are held. */
  readonly groups: readonly StateGroup[];
  readonly learningRate: NamedValue;
  /** Input of graphs, where the average's decay changes. */
  readonly emaDecay?: NamedValue;
}

/** Parameters, or statistics, that are held together, and what belongs to them. */
export interface StateGroup {
  readonly members: readonly Parameter[];
  readonly held: HeldTensor;
  /** Of trained ones: what the optimiser keeps, in the order of its slots. */
  readonly slots: readonly HeldTensor[];
  readonly average?: HeldTensor;
}

/** Groups of which every parameter is trained. */
export function trainedGroups({ groups, trained }: TrainingState): readonly StateGroup[] {
  const paths = new Set(trained.map(({ path }) => path));
  return groups.filter(({ members }) => members.every(({ path }) => paths.has(path)));
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

/** @param isTracked whether a batch norm of the step moves a statistic */
export function trainingState(
  parameters: readonly Parameter[],
  trained: readonly Parameter[],
  options: TrainingOptions,
  isTracked: (statistic: Parameter) => boolean,
): TrainingState {
  const all: StateTensor[] = [];
  const given = new Map<string, Value>();
  const add = (state: StateTensor, own?: Value): void => {
    all.push(state);
    if (own) given.set(state.name, own);
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
  const byName = new Map(all.map((state) => [state.name, state]));
  const groups = heldGroups(groupsOf(parameters, trained, options, isTracked), new Set(trained), slots, byName);
  const held = heldTensors(all, groups);
  const values = new Map(
    [...all, ...held].map(({ name, shape, dtype }): [string, Value] => {
      return [name, given.get(name) ?? value(tensor(shape, dtype), name)];
    }),
  );
  const places = new Map(held.map(({ name }, index) => [name, index]));
  return {
    all,
    held,
    value: (name) => values.get(name)!,
    order: (name) => places.get(name)!,
    parameters,
    trained,
    groups,
    learningRate: { name: "learning_rate", value: value(tensor([]), "learning_rate") },
    ...(options.emaWarmUp && { emaDecay: { name: "ema_decay", value: value(tensor([]), "ema_decay") } }),
  };
}

function heldGroups(
  groups: readonly (readonly Parameter[])[],
  trained: ReadonlySet<Parameter>,
  slots: readonly { readonly name: string }[],
  byName: ReadonlyMap<string, StateTensor>,
): readonly StateGroup[] {
  const made = new Map<string, number>();
  const together = (members: readonly Parameter[], nameOf: (path: string) => string): HeldTensor => {
    const parts = members.map(({ path }) => byName.get(nameOf(path))!);
    const { role } = parts[0]!;
    const number = made.get(role) ?? 0;
    if (parts.length > 1) made.set(role, number + 1);
    return hold(parts, number);
  };
  return groups.map((members) => {
    const isTrained = trained.has(members[0]!);
    return {
      members,
      held: together(members, (path) => path),
      slots: isTrained ? slots.map((slot) => together(members, (path) => slotName(slot.name, path))) : [],
      ...(byName.has(emaName(members[0]!.path)) && { average: together(members, emaName) }),
    };
  });
}

/** In the order of the state: each where its first part is. */
function heldTensors(all: readonly StateTensor[], groups: readonly StateGroup[]): readonly HeldTensor[] {
  const holding = new Map<string, HeldTensor>();
  for (const { held, slots, average } of groups) {
    for (const each of [held, ...slots, ...(average ? [average] : [])]) {
      each.parts.forEach((part) => holding.set(part.name, each));
    }
  }
  return [...new Set(all.map((state) => holding.get(state.name) ?? hold([state], 0)))];
}
