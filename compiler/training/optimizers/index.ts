/** All optimisers. A new one is a file beside this one and a line here. */
import type { Parameter } from "../../ir/types.js";
import type { Formula } from "../../ops/formula.js";
import type { RecipeProblem } from "../../recipe-problem.js";
import { completed, type Form } from "../../words/schema.js";
import { accepts } from "../../words/values.js";
import { takes } from "../../words/describe.js";
import { adamw } from "./adamw.js";
import { lars } from "./lars.js";
import {
  decayOf,
  type DecayScope,
  type OptimizerRecord,
  type OptimizerSettings,
  type Slot,
  type StepInputs,
  type StepOutputs,
} from "./optimizer.js";
import { sgd } from "./sgd.js";

const ALL = [sgd, adamw, lars] as const;

type Known = (typeof ALL)[number];

/** An optimiser with its settings, as plain data: `{ kind: "sgd", momentum: 0.9 }`. What is left out has its default. */
export type Optimizer = OptimizerSettings<Known>;

/** By name, as recipes write them. */
export const OPTIMIZERS = Object.fromEntries(ALL.map((record) => [record.name, record])) as {
  readonly [N in Known["name"]]: Extract<Known, { readonly name: N }>;
};

/** `sgd(momentum: 0.9)` of a recipe as plain data. */
export function optimizerOf({ form, values }: Form<Known>): Optimizer {
  const settings = Object.entries(values).map(([name, value]) => [camel(name), value]);
  return { kind: form, ...Object.fromEntries(settings) } as Optimizer;
}

/** An optimiser that is ready to be written into a graph. */
export interface PreparedOptimizer {
  readonly slots: readonly Slot[];
  readonly countsSteps: boolean;
  /** Equal for parameters that one step can take as one vector, if their rates are equal; undefined for one that is on its own. */
  likeness(parameter: Parameter, decayTimes: number): string | undefined;
  /** @param parameter one of those that are stepped */
  step(f: Formula, parameter: Parameter, inputs: StepInputs): StepOutputs;
}

export function preparedOptimizer(optimizer: Optimizer): PreparedOptimizer {
  const { record, values } = resolved(optimizer);
  return {
    slots: record.slots(values),
    countsSteps: record.countsSteps === true,
    likeness: (parameter, decayTimes) =>
      record.whole?.(values, parameter) ? undefined : String(decayOf(decayIn(values), parameter, { decayTimes })),
    step: (f, parameter, inputs) => record.step(f, values, parameter, inputs),
  };
}

/** What is wrong with the settings of an optimiser, whoever gave them, and what has no effect. */
export function optimizerProblems(optimizer: Optimizer): readonly Omit<RecipeProblem, "word">[] {
  const { record, values } = resolved(optimizer);
  const wrong = Object.entries(record.arguments).flatMap(([name, argument]): Omit<RecipeProblem, "word">[] => {
    if (accepts(argument, values[name])) return [];
    const message = `\`${name}\` must be ${takes(argument)}, not ${String(values[name])}`;
    return [{ code: "out-of-range", message }];
  });
  // Rules about what is beyond its bounds say nothing new.
  return wrong.length > 0 ? wrong : (record.problems?.(values) ?? []).filter((problem) => problem !== false);
}

/** The weight decay of an optimiser, and what has it, defaults filled in. */
export function weightDecayOf(optimizer: Optimizer): { readonly decay: number; readonly scope: DecayScope } {
  const { values } = resolved(optimizer);
  const { weight_decay: decay, decay_scope: scope } = decayIn(values);
  return { decay, scope };
}

/** Every optimiser has these arguments. */
function decayIn(values: Readonly<Record<string, unknown>>): { weight_decay: number; decay_scope: DecayScope } {
  return values as { weight_decay: number; decay_scope: DecayScope };
}

function resolved(optimizer: Optimizer): {
  readonly record: OptimizerRecord;
  readonly values: Readonly<Record<string, unknown>>;
} {
  const record: OptimizerRecord = OPTIMIZERS[optimizer.kind];
  const settings = optimizer as Readonly<Record<string, unknown>>;
  const given = Object.fromEntries(Object.keys(record.arguments).map((name) => [name, settings[camel(name)]]));
  return { record, values: completed(record.arguments, given) };
}

/** `weight_decay` of the language is `weightDecay` of a program. */
function camel(name: string): string {
  return name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
}
