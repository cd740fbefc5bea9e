/** What the convolution and its transpose share: arguments, groups, filters. */
import { int } from "./attributes.js";
import { biasOf, INITIAL_ARGUMENTS, initialWeights } from "./initial.js";
import { ShapeError, type ParameterSpec } from "./operator.js";
import type { Attributes } from "../ir/types.js";
import { boolean, integer, size } from "../words/schema.js";

/** Behind those of the window. */
export const FILTER_ARGUMENTS = {
  dilation: size("Distance between the kernel's taps.", { min: 1, default: [1, 1] }),
  groups: integer("Channels are split into this many separate groups.", { min: 1, default: 1 }),
  bias: boolean("Whether a learned constant is added to each channel.", { default: false }),
  ...INITIAL_ARGUMENTS,
};

/** Channels that arrive, those that leave, and groups; throws a ShapeError where the groups don't divide both. */
export function requireGroups(given: number, attributes: Attributes, layer: string): readonly [number, number, number] {
  const [channels, groups] = [int(attributes, "channels"), int(attributes, "groups")];
  const split = (count: number, what: string): void => {
    if (count % groups !== 0) throw new ShapeError(`${layer}: ${count} ${what} can't be split into ${groups} groups`);
  };
  split(given, "input channels");
  split(channels, "channels");
  return [given, channels, groups];
}

/** `weight`, and where it is asked for `bias`. */
export function filters(
  layer: string,
  shape: readonly number[],
  fanIn: number,
  attributes: Attributes,
): readonly ParameterSpec[] {
  const init = initialWeights(attributes, fanIn);
  const weight = { name: "weight", role: "weight", shape, trainable: true, init } as const;
  return [weight, ...biasOf(layer, attributes, int(attributes, "channels"))];
}
