/** One step of an optimiser for one parameter, as IR. The formulas are in contract.ts. */
import type { Parameter, Value } from "../ir/types.js";
import type { Formula } from "../ops/formula.js";
import type { DecayScope, Optimizer, StateRole } from "./contract.js";

/** A tensor of the parameter's shape that the optimiser keeps. */
export interface Slot {
  /** Prefix of its name. */
  readonly name: "momentum" | "second_moment";
  readonly role: StateRole;
}

export function slots(optimizer: Optimizer): readonly Slot[] {
  const momentum: Slot = { name: "momentum", role: "momentum" };
  if (optimizer.kind === "adamw") return [momentum, { name: "second_moment", role: "second moment" }];
  return (optimizer.momentum ?? 0) === 0 ? [] : [momentum];
}

/** Whether the optimiser counts its steps: Adam's moments are corrected for beginning at 0. */
export function countsSteps(optimizer: Optimizer): boolean {
  return optimizer.kind === "adamw";
}

export interface StepInputs {
  readonly weight: Value;
  readonly gradient: Value;
  /** In the order of {@link slots}. */
  readonly slots: readonly Value[];
  readonly learningRate: Value;
  /** Of this step, the first is 1; present where {@link countsSteps}. */
  readonly step?: Value;
}

export interface StepOutputs {
  readonly weight: Value;
  readonly slots: readonly Value[];
}

export function optimizerStep(f: Formula, optimizer: Optimizer, parameter: Parameter, inputs: StepInputs): StepOutputs {
  return optimizer.kind === "sgd" ? sgd(f, optimizer, parameter, inputs) : adamw(f, optimizer, parameter, inputs);
}

function decays({ role }: Parameter, scope: DecayScope = "all"): boolean {
  return scope === "all" || role === "weight";
}

type Sgd = Extract<Optimizer, { kind: "sgd" }>;

function sgd(f: Formula, optimizer: Sgd, parameter: Parameter, inputs: StepInputs): StepOutputs {
  const { weightDecay = 0, momentum = 0, nesterov = false, rule = "pytorch" } = optimizer;
  const { weight, learningRate } = inputs;
  const decay = weightDecay > 0 && decays(parameter, optimizer.decayScope);
  const g = decay ? f.plus(inputs.gradient, f.affine(weight, weightDecay)) : inputs.gradient;
  if (momentum === 0) return { weight: f.minus(weight, f.times(g, learningRate)), slots: [] };
  const [velocity] = inputs.slots;
  const kept = f.affine(velocity!, momentum);
  if (rule === "caffe") {
    // nesterov_solver.cpp takes (1 + momentum) v' - momentum v.
    const step = f.times(g, learningRate);
    const next = f.plus(kept, step);
    const move = nesterov ? f.minus(f.affine(next, 1 + momentum), kept) : next;
    return { weight: f.minus(weight, move), slots: [next] };
  }
  const next = f.plus(kept, g);
  const direction = nesterov ? f.plus(g, f.affine(next, momentum)) : next;
  return { weight: f.minus(weight, f.times(direction, learningRate)), slots: [next] };
}

type AdamW = Extract<Optimizer, { kind: "adamw" }>;

function adamw(f: Formula, optimizer: AdamW, parameter: Parameter, inputs: StepInputs): StepOutputs {
  const { beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weightDecay = 0.01 } = optimizer;
  const { weight, gradient, learningRate, step } = inputs;
  const [first, second] = inputs.slots;
  const nextFirst = f.plus(f.affine(first!, beta1), f.affine(gradient, 1 - beta1));
  const nextSecond = f.plus(f.affine(second!, beta2), f.affine(f.times(gradient, gradient), 1 - beta2));
  // 1 - beta^step = 2 t / (1 + t) with t = tanh(-step * log(beta) / 2), exact where beta^step is near 1.
  const correction = (beta: number): Value => {
    const t = f.apply("tanh", [f.affine(step!, -Math.log(beta) / 2)]);
    return f.over(f.affine(t, 2), f.affine(t, 1, 1));
  };
  const direction = f.over(
    f.over(nextFirst, correction(beta1)),
    f.affine(f.sqrt(f.over(nextSecond, correction(beta2))), 1, eps),
  );
  const decay = weightDecay > 0 && decays(parameter, optimizer.decayScope);
  const move = decay ? f.plus(direction, f.affine(weight, weightDecay)) : direction;
  return { weight: f.minus(weight, f.times(move, learningRate)), slots: [nextFirst, nextSecond] };
}
