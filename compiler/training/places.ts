/** Parts of a network by their paths, and parameters by kind: what recipes freeze, and give a learning rate of their own. */
import { didYouMean } from "../diagnostics/suggest.js";
import { isScope, type Parameter, type Scope } from "../ir/types.js";
import type { Model } from "../model.js";
import type { ParameterKind, ParameterRate, StageRate } from "../recipe.js";
import type { TrainingOptions } from "./contract.js";

/** Whether a path is this part's, or of something in it: `head.fc.weight` is inside `head` and `head.fc`. */
export function isInside(path: string, part: string): boolean {
  return path === part || path.startsWith(`${part}.`);
}

/** Throws a RangeError where a network has no such part: a stage, block, layer or parameter. */
export function requirePart(model: Model, part: string): void {
  const parameters = model.graph.parameters.map(({ path }) => path);
  requireAmong(model, part, "stage, block or layer", [...pathsIn(model.root, true), ...parameters]);
}

/** Throws a RangeError where a network has no such stage or block. */
export function requireScope(model: Model, part: string): void {
  requireAmong(model, part, "stage or block", pathsIn(model.root, false));
}

function requireAmong({ name, root }: Model, part: string, what: string, paths: readonly string[]): void {
  if (paths.includes(part)) return;
  const stages = root.children.filter(isScope).map((scope) => scope.path);
  const help = didYouMean(part, paths)?.replaceAll("`", "") ?? `its stages are ${stages.join(", ")}`;
  throw new RangeError(`${name} has no ${what} ${part}; ${help}`);
}

function pathsIn(scope: Scope, layers: boolean): readonly string[] {
  return scope.children.flatMap((child) => {
    if (isScope(child)) return [child.path, ...pathsIn(child, layers)];
    return layers ? [child.path] : [];
  });
}

/** How many times the learning rate a parameter's is: of the parts that it is in, the one with the longest path says. */
export function rateOf(path: string, rates: readonly StageRate[]): number {
  const holding = rates.filter(({ stage }) => isInside(path, stage));
  return holding.reduce((best, each) => (each.stage.length >= best.stage.length ? each : best), { stage: "", times: 1 })
    .times;
}

const KINDS: Readonly<Partial<Record<Parameter["role"], ParameterKind>>> = {
  weight: "weights",
  bias: "biases",
  scale: "norms",
  offset: "norms",
};

/** What is said of parameters of this one's kind. */
export function kindRate(
  { role }: Pick<Parameter, "role">,
  rates: readonly ParameterRate[],
): { readonly times: number; readonly decayTimes: number } {
  const { times = 1, decayTimes = 1 } = rates.find(({ kind }) => kind === KINDS[role]) ?? {};
  return { times, decayTimes };
}

/** 0, or the number from 1 of the group of parts that a parameter thaws with. */
export function thawGroup(path: string, { thawing = [] }: Pick<TrainingOptions, "thawing">): number {
  return thawing.findLastIndex((parts) => parts.some((part) => isInside(path, part))) + 1;
}
