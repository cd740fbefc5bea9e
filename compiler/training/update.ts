/** From gradients to the next state: clipping, the optimiser's step, the average of weights. */
import type { Span } from "../../grammar/ast.js";
import type { NamedValue, Parameter, Value } from "../ir/types.js";
import { formula, type Formula } from "../ops/formula.js";
import type { TrainingOptions } from "./contract.js";
import type { Recorder } from "../ops/recorder.js";
import { preparedOptimizer } from "./optimizers/index.js";
import { kindRate, rateOf, thawGroup } from "./places.js";
import { stepName, trainedGroups, type TrainingState } from "./state.js";

export interface Update {
  readonly outputs: readonly NamedValue[];
  readonly next: readonly NamedValue[];
}

const NOWHERE: Span = { file: "", start: 0, end: 0 };

/**
 * `gradients` and `statistics` (next running ones; those that are missing stay) by the names of the held tensors. In mixed
 * precision nothing but the statistics changes where a gradient is not finite.
 */
export function applyUpdate(
  state: TrainingState,
  options: TrainingOptions,
  gradients: ReadonlyMap<string, Value>,
  statistics: ReadonlyMap<string, Value>,
  record: Recorder,
): Update {
  const f = formula(record);
  const { clipNorm, gradientNorm = false, emaDecay, stageRates = [], parameterRates = [] } = options;
  const optimizer = preparedOptimizer(options.optimizer);
  const mixed = options.precision === "mixed";
  const outputs: NamedValue[] = [];
  const next = new Map<string, Value>();
  record.at("update", NOWHERE);

  const wantsNorm = clipNorm !== undefined || gradientNorm;
  const squares = wantsNorm || mixed ? squaredNorm(f, [...gradients.values()]) : undefined;
  const finite = mixed ? f.less(squares!, record.constant(Float32Array.of(3e38), [])) : undefined;
  if (finite) outputs.push({ name: "finite", value: finite });
  const settle = (name: string, value: Value): void => {
    next.set(name, finite ? f.apply("select", [finite, value, state.value(name)]) : value);
  };

  let clip: Value | undefined;
  const norm = wantsNorm ? f.sqrt(squares!) : undefined;
  if (norm) outputs.push({ name: "gradient_norm", value: norm });
  if (clipNorm !== undefined) {
    // As torch.nn.utils.clip_grad_norm_ has it.
    const limit = record.constant(Float32Array.of(clipNorm), []);
    const one = record.constant(Float32Array.of(1), []);
    clip = f.apply("smaller", [f.over(limit, f.affine(norm!, 1, 1e-6)), one]);
  }

  const groups = trainedGroups(state);
  const counts = once((group: number) => f.affine(state.value(stepName(group)), 1, 1));
  const { value: learningRate } = state.learningRate;
  const rates = once((times: number) => (times === 1 ? learningRate : f.affine(learningRate, times)));
  // Before the parameters, as the sole count always was.
  if (optimizer.countsSteps) state.trained.forEach(({ path }) => counts.get(thawGroup(path, options)));
  for (const { members, held, slots } of groups) {
    // What is held together is updated alike: any of them says how.
    const [parameter] = members as readonly [Parameter];
    record.at(`${held.name}.update`, NOWHERE);
    const gradient = gradients.get(held.name)!;
    const { times, decayTimes } = kindRate(parameter, parameterRates);
    const result = optimizer.step(f, parameter, {
      weight: state.value(held.name),
      gradient: clip ? f.times(gradient, clip) : gradient,
      slots: slots.map(({ name }) => state.value(name)),
      learningRate: rates.get(times * rateOf(parameter.path, stageRates)),
      decayTimes,
      ...(optimizer.countsSteps && { step: counts.get(thawGroup(parameter.path, options)) }),
    });
    settle(held.name, result.weight);
    slots.forEach(({ name }, index) => settle(name, result.slots[index]!));
  }
  for (const [group, count] of counts.made) settle(stepName(group), count);

  if (emaDecay !== undefined) {
    for (const { held, average: kept } of state.groups) {
      const current = next.get(held.name) ?? statistics.get(held.name);
      // The average of what stays is that, to the bit.
      if (current === undefined || kept === undefined) continue;
      record.at(kept.name, NOWHERE);
      next.set(kept.name, average(f, state, emaDecay, state.value(kept.name), current));
    }
  }
  return { outputs, next: [...next].map(([name, value]) => ({ name, value })) };
}

function average(f: Formula, { emaDecay: given }: TrainingState, decay: number, before: Value, now: Value): Value {
  if (given === undefined) return f.plus(f.affine(before, decay), f.affine(now, 1 - decay));
  return f.plus(f.times(before, given.value), f.times(now, f.complement(given.value)));
}

/** Values by number, each made when it is first asked for. */
function once(make: (key: number) => Value): { get(key: number): Value; readonly made: ReadonlyMap<number, Value> } {
  const made = new Map<number, Value>();
  return {
    made,
    get(key) {
      if (!made.has(key)) made.set(key, make(key));
      return made.get(key)!;
    },
  };
}

function squaredNorm(f: Formula, gradients: readonly Value[]): Value {
  return gradients
    .map((gradient) =>
      f.sum(
        f.times(gradient, gradient),
        gradient.type.shape.map((_, axis) => axis),
      ),
    )
    .reduce((a, b) => f.plus(a, b));
}
