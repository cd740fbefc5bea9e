/** The values of a graph's parameters: given, made from a seed, or computed from others. */
import { evaluate } from "../ir/dim.js";
import type { Graph, Parameter } from "../ir/types.js";
import { initialValues } from "./initialise.js";

/** By parameter path, flat, row-major. A Map will do. */
export interface ParameterValues {
  /** Undefined for what begins as its initializer says. */
  get(path: string): Float32Array | undefined;
}

/** Number of values in a parameter. */
export function parameterSize(parameter: Parameter): number {
  return parameter.value.type.shape.reduce<number>((size, dim) => size * evaluate(dim), 1);
}

/**
 * The values of one parameter as fp32, computed when called and not kept: what a pass derived from others comes from
 * those, what is not among the given values begins as its initializer says.
 */
export function valuesOf(parameter: Parameter, given: ParameterValues | undefined, seed: number): Float32Array {
  if (parameter.derived !== undefined) {
    return parameter.derived.compute(...parameter.derived.from.map((source) => valuesOf(source, given, seed)));
  }
  const size = parameterSize(parameter);
  const values = given?.get(parameter.path);
  if (values === undefined) return initialValues(parameter.init, size, parameter.path, seed);
  if (values.length === size) return values;
  throw new RangeError(`${parameter.path} has ${size} values, ${values.length} were given`);
}

/** The parameters that weights are loaded for: those of the graph, with the sources of those that passes derived. */
export function sourceParameters(graph: Graph): readonly Parameter[] {
  const sources = new Map<string, Parameter>();
  const visit = (parameter: Parameter): void => {
    if (parameter.derived === undefined) sources.set(parameter.path, parameter);
    else parameter.derived.from.forEach(visit);
  };
  graph.parameters.forEach(visit);
  return [...sources.values()];
}
