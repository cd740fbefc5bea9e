/** What is known of an optimiser, in one record: its word, the state that it keeps, its step. */
import type { Parameter, Value } from "../../ir/types.js";
import type { Formula } from "../../ops/formula.js";
import type { RecipeProblem } from "../../recipe-problem.js";
import { choice, type Argument, type Schema, type Values, type Word } from "../../words/schema.js";

/** Which parameters weight decay applies to: all that are trained, as the paper, or weights without biases and batch norms. */
export type DecayScope = "all" | "weights";

/** A tensor of the parameter's shape that an optimiser keeps, 0 at first. */
export interface Slot {
  /** Prefix of its name. */
  readonly name: "momentum" | "second_moment";
  readonly role: "momentum" | "second moment";
}

export const MOMENTUM: Slot = { name: "momentum", role: "momentum" };
export const SECOND_MOMENT: Slot = { name: "second_moment", role: "second moment" };

export interface StepInputs {
  readonly weight: Value;
  readonly gradient: Value;
  /** In the order of the slots. */
  readonly slots: readonly Value[];
  readonly learningRate: Value;
  /** Share of the optimiser's weight decay that the parameter has. */
  readonly decayTimes: number;
  /** Of this step, the first is 1; present where the optimiser counts them. */
  readonly step?: Value;
}

export interface StepOutputs {
  readonly weight: Value;
  readonly slots: readonly Value[];
}

/** An optimiser. One is a file here and a line in index.ts. */
export interface OptimizerRecord<N extends string = string, S extends Schema = Schema> extends Word<N, S> {
  slots(values: Values<S>): readonly Slot[];
  /** It counts its steps: Adam's moments are corrected for beginning at 0. */
  readonly countsSteps?: true;
  /**
   * Its step of this parameter depends on more than value by value on weight, gradient and slots: parameters with the same decay
   * and rate can't be taken as one.
   */
  whole?(values: Values<S>, parameter: Parameter): boolean;
  /** One step for one parameter, or for several with the same decay and rate as one vector, as IR. */
  step(f: Formula, values: Values<S>, parameter: Parameter, inputs: StepInputs): StepOutputs;
  /** What the values, each within its bounds, may not be, or say without effect. */
  problems?(values: Values<S>): readonly (Omit<RecipeProblem, "word"> | false)[];
}

/** Keeps the types of name and arguments. */
export function optimizer<const N extends string, const S extends Schema>(
  record: OptimizerRecord<N, S>,
): OptimizerRecord<N, S> {
  return record;
}

/** An optimiser as plain data: its name, and its arguments in camelCase; what has a default may be left out. */
export type OptimizerSettings<R> =
  R extends OptimizerRecord<infer N, infer S>
    ? { readonly kind: N } & {
        readonly [K in keyof S & string as Camel<K>]?: S[K] extends Argument<infer T> ? T : never;
      }
    : never;

type Camel<T extends string> = T extends `${infer A}_${infer B}` ? `${A}${Capitalize<Camel<B>>}` : T;

/** The argument that several share. */
export const DECAY_SCOPE = choice(
  "What decays: all that is trained, or weights without biases and batch norms.",
  ["all", "weights"],
  { default: "all" },
);

/** The weight decay of a parameter. */
export function decayOf(
  { weight_decay: decay, decay_scope: scope }: { readonly weight_decay: number; readonly decay_scope: DecayScope },
  parameter: Parameter,
  { decayTimes }: Pick<StepInputs, "decayTimes">,
): number {
  return inScope(parameter, scope) ? decay * decayTimes : 0;
}

/** Whether the scope has a parameter in it. */
export function inScope({ role }: Parameter, scope: DecayScope): boolean {
  return scope === "all" || role === "weight";
}

const isBelowOne = (value: number): boolean => value >= 0 && value < 1;

/** A share that is kept from step to step has to fade. */
export function fades(name: string, value: number, reason: string): Omit<RecipeProblem, "word"> | false {
  const message = `\`${name}\` must be at least 0 and below 1, not ${value}: ${reason}`;
  return !isBelowOne(value) && { code: "out-of-range", message };
}

/** A scope of a decay that is 0. */
export function idleScope(weightDecay: number, scope: DecayScope): Omit<RecipeProblem, "word"> | false {
  return (
    weightDecay === 0 &&
    scope !== "all" && {
      code: "no-effect",
      message: "`decay_scope` has no effect without a `weight_decay`",
      help: "give one, or leave `decay_scope` out",
    }
  );
}
