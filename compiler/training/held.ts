/** Which tensors of a training's state graphs hold together: each on its own, or what is updated alike as one vector. */
import type { Device } from "../device.js";
import type { Parameter } from "../ir/types.js";
import type { HeldTensor, StateTensor, TrainingOptions } from "./contract.js";
import { preparedOptimizer } from "./optimizers/index.js";
import { kindRate, rateOf, thawGroup } from "./places.js";

/** Names of tensors that are held together: a set of parameters, or of statistics, in the state's order. */
type Group = readonly Parameter[];

/** The parameters and statistics, in groups whose updates are the same. */
export function groupsOf(
  parameters: readonly Parameter[],
  trained: readonly Parameter[],
  options: TrainingOptions,
  isTracked: (statistic: Parameter) => boolean,
): readonly Group[] {
  if (options.held !== "vectors") return parameters.map((each) => [each]);
  const likeness = likenessOf(new Set(trained), options, isTracked);
  const groups = new Map<string, Parameter[]>();
  for (const parameter of parameters) {
    const key = likeness(parameter) ?? `alone ${parameter.path}`;
    groups.set(key, [...(groups.get(key) ?? []), parameter]);
  }
  return [...groups.values()].map((group) => group.toSorted((a, b) => placeOf(a) - placeOf(b)));
}

/** Norms' weights, and their biases, lie side by side behind all else: gradients of many norms are then made as one vector. */
function placeOf({ role }: Parameter): number {
  return role === "scale" ? 1 : role === "offset" ? 2 : 0;
}

function likenessOf(
  trained: ReadonlySet<Parameter>,
  options: TrainingOptions,
  isTracked: (statistic: Parameter) => boolean,
): (parameter: Parameter) => string | undefined {
  const { stageRates = [], parameterRates = [] } = options;
  const optimizer = preparedOptimizer(options.optimizer);
  return (parameter) => {
    const { path, trainable } = parameter;
    const thaws = thawGroup(path, options);
    if (!trainable) return isTracked(parameter) ? `tracked ${thaws}` : "kept";
    if (!trained.has(parameter)) return "fixed";
    const { times, decayTimes } = kindRate(parameter, parameterRates);
    const how = optimizer.likeness(parameter, decayTimes);
    return how === undefined ? undefined : `trained ${thaws} ${times * rateOf(path, stageRates)} ${how}`;
  };
}

/** Tensors of the state as graphs hold them. @param number of vectors of the same role before it */
export function hold(parts: readonly StateTensor[], number: number): HeldTensor {
  const [first] = parts;
  const { name, shape, dtype, role } = first!;
  if (parts.length === 1) return { name, shape, dtype, role, parts };
  const length = parts.reduce((sum, part) => sum + sizeOf(part.shape), 0);
  // No path has a slash in it.
  return { name: `${role.replaceAll(" ", "_")}/${number}`, shape: [length], dtype, role, parts };
}

/** How a device's graphs hold the state: a GPU starts each operator apart, and a processor writes tensors where they are. */
export function heldOn(device: Device): NonNullable<TrainingOptions["held"]> {
  return device === "cpu" ? "tensors" : "vectors";
}

/** Values in a tensor of this shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, length) => product * length, 1);
}

/** Values of the state, by name, as the values of a held tensor. A copy. */
export function heldValues({ shape, parts }: HeldParts, valuesOf: (name: string) => Float32Array): Float32Array {
  const all = new Float32Array(sizeOf(shape));
  let at = 0;
  for (const { name } of parts) {
    const values = valuesOf(name);
    all.set(values, at);
    at += values.length;
  }
  return all;
}

/** Values of a held tensor as those of its parts, which are views of it. */
export function partValues({ parts }: HeldParts, values: Float32Array): readonly (readonly [string, Float32Array])[] {
  let at = 0;
  return parts.map(({ name, shape }) => [name, values.subarray(at, (at += sizeOf(shape)))] as const);
}

/** What is to be known of a held tensor to fill it, or to take it apart: plain data. */
export interface HeldParts {
  readonly shape: readonly number[];
  readonly parts: readonly { readonly name: string; readonly shape: readonly number[] }[];
}
