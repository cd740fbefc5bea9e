/** How layers begin: what is said of it in the source, and the initializers that follow. */
import { number } from "../words/schema.js";
import type { Attributes, Initializer } from "../ir/types.js";
import { flag } from "./attributes.js";
import { ShapeError, type ParameterSpec } from "./operator.js";

export const INITIAL_ARGUMENTS = {
  std: number(
    "Standard deviation of the normal distribution that weights are drawn from at first; without one, that of He et al. 2015.",
    { min: 0, optional: true },
  ),
  initial_bias: number("What every constant of the bias is at first; without one, 0.", { optional: true }),
};

/** Their names, for an operator's `initial`. */
export const INITIAL = Object.keys(INITIAL_ARGUMENTS);

/**
 * Of a weight each of whose outputs sums up `fanIn` values: where nothing is given, of variance 2 / fanIn, by He et al. 2015,
 * as section 3.4 has it for all layers, the last included.
 */
export function initialWeights({ std }: Attributes, fanIn: number): Initializer {
  return typeof std === "number" ? { kind: "normal", std } : { kind: "he_normal", fanIn };
}

/** The bias of a layer that has one, of so many channels; none of others. Throws a ShapeError where one that is not there begins. */
export function biasOf(layer: string, attributes: Attributes, channels: number): readonly ParameterSpec[] {
  const { initial_bias: value } = attributes;
  if (flag(attributes, "bias")) {
    const init = { kind: "constant", value: typeof value === "number" ? value : 0 } as const;
    return [{ name: "bias", role: "bias", shape: [channels], trainable: true, init }];
  }
  if (value === undefined) return [];
  throw new ShapeError(`${layer} has no bias to begin with \`initial_bias\``, "write `bias: true`, too");
}
