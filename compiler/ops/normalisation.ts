/** Norms over an example's own values (of a layer, of a group), the same while training and after: what they share. */
import type { Formula } from "./formula.js";
import { sizes } from "./formula.js";
import type { ParameterSpec, Value } from "./operator.js";
import { number } from "../words/schema.js";
import type { Writer } from "./write.js";

export const EPS = number("Added to the variance.", { min: 0, default: 1e-5 });

/** A factor and a constant of each channel, at first 1 and 0. */
export function gainAndOffset(channels: number): readonly ParameterSpec[] {
  const shared = { shape: [channels], trainable: true };
  return [
    { ...shared, name: "weight", role: "scale", init: { kind: "constant", value: 1 } },
    { ...shared, name: "bias", role: "offset", init: { kind: "constant", value: 0 } },
  ];
}

/** [C] as it broadcasts over a tensor of this rank, channels second: [C, 1, 1] for maps. */
export function writePerChannel(w: Writer, parameter: string, rank: number, suffix: string): string {
  const axes = Array.from({ length: rank - 2 }, (_, axis) => axis + 1);
  return axes.length === 0 ? parameter : w.unsqueeze(parameter, axes, suffix);
}

/**
 * Gradients of x, weight and bias: y = weight * (x - mean) / sqrt(variance + eps) + bias, mean and variance along
 * `axes` of x in the shape `view`.
 */
export function normGradients(
  f: Formula,
  dy: Value,
  [x, weight]: readonly Value[],
  { view, axes, eps }: { readonly view: readonly number[]; readonly axes: readonly number[]; readonly eps: number },
): readonly Value[] {
  const shape = sizes(x!);
  const isView = view.join() === shape.join();
  const seen = (value: Value): Value => (isView ? value : f.reshape(value, view));
  const back = (value: Value): Value => (isView ? value : f.reshape(value, shape));
  const centred = f.minus(seen(x!), f.mean(seen(x!), axes, true));
  const inverse = f.power(f.affine(f.mean(f.times(centred, centred), axes, true), 1, eps), -0.5);
  const normal = f.times(centred, inverse);
  const slope = seen(f.times(dy, f.perChannel(weight!, shape.length)));
  // What moving x by as much everywhere, or stretching it, would change: nothing of y.
  const undone = f.plus(f.mean(slope, axes, true), f.times(normal, f.mean(f.times(slope, normal), axes, true)));
  const dx = back(f.times(inverse, f.minus(slope, undone)));
  return [dx, f.channelSum(f.times(dy, back(normal))), f.channelSum(dy)];
}
