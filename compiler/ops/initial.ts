/** How weights of layers begin: what is said of it in the source, and the initializer that follows. */
import { number } from "../words/schema.js";
import type { Attributes, Initializer } from "../ir/types.js";

export const INITIAL_ARGUMENTS = {
  std: number(
    "Standard deviation of the normal distribution that weights are drawn from at first; without one, that of He et al. 2015.",
    { min: 0, optional: true },
  ),
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
