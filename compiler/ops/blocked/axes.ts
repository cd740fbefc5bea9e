/** Windows of a pool along either axis of its maps (max_pool_gradient.ts says what for). */
import { size2 } from "../attributes.js";
import { sizes } from "../formula.js";
import type { Node } from "../operator.js";

/** Windows along one axis of a map. */
export interface Windows {
  readonly axis: 0 | 1;
  readonly kernel: number;
  readonly stride: number;
  readonly pad: number;
  /** Rows above, columns on the left, rows below, columns on the right. */
  readonly pads: readonly number[];
  /** Values along the axis, and windows. */
  readonly length: number;
  readonly count: number;
  /** Of the map of values. */
  readonly shape: readonly [number, number, number, number];
  readonly block: number;
}

/** Windows along the columns are those of the map itself, windows along the rows those of the maxima of rows. */
export function alongAxis(
  { attributes, inputs }: Pick<Node, "attributes" | "inputs">,
  axis: 0 | 1,
  block: number,
): Windows {
  const at = (name: string): number => size2(attributes, name)[axis];
  const [kernel, stride, pad] = [at("kernel"), at("stride"), at("pad")];
  const [batch, channels, height, width] = sizes(inputs[1]!) as [number, number, number, number];
  const windows = sizes(inputs[0]!) as [number, number, number, number];
  const [length, count] = [[height, width][axis]!, windows[2 + axis]!];
  const after = Math.max(0, (count - 1) * stride + kernel - pad - length);
  return {
    axis,
    kernel,
    stride,
    pad,
    length,
    count,
    pads: axis === 0 ? [pad, 0, after, 0] : [0, pad, 0, after],
    shape: [batch, channels, height, axis === 0 ? windows[3] : width],
    block,
  };
}

/** Whether a maximum pool's gradient can be written along its axes: as many windows as strides fit into the map. */
export function fitsAxes(node: Pick<Node, "attributes" | "inputs">, block: number): boolean {
  return ([0, 1] as const).every((axis) => {
    const { length, count, stride } = alongAxis(node, axis, block);
    return length === count * stride;
  });
}
