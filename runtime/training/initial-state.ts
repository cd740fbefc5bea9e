/** State before the first update. */
import { valuesOf, type ParameterValues } from "../../compiler/emit/parameters.js";
import type { Model } from "../../compiler/model.js";
import type { StateTensor } from "../../compiler/training/contract.js";

/** @param weights in place of initial values, by parameter path */
export function initialState(
  model: Model,
  state: readonly StateTensor[],
  seed: number,
  weights?: ParameterValues,
): ReadonlyMap<string, Float32Array> {
  const parameters = new Map(model.graph.parameters.map((parameter) => [parameter.path, parameter]));
  return new Map(
    state.map(({ name, shape, init }) => {
      const size = shape.reduce((product, length) => product * length, 1);
      if (init.kind === "constant") return [name, new Float32Array(size).fill(init.value)];
      return [name, valuesOf(parameters.get(init.path)!, weights, seed).slice()];
    }),
  );
}
