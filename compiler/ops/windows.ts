/** Sliding windows, as convolutions and pools use them: arguments, padding, output size. */
import { add, floorDiv, formatDim, type Dim } from "../ir/dim.js";
import type { Attributes } from "../ir/types.js";
import { int, size2, type Size2 } from "./attributes.js";
import { ShapeError } from "./operator.js";
import { requirePositive, type FeatureMap } from "./shapes.js";
import { boolean, size } from "../words/schema.js";

export const KERNEL = size("Height and width of the window.", { min: 1 });
export const STRIDE = size("Distance between windows: /2 halves height and width.", {
  min: 1,
  default: [1, 1],
});
export const PAD_DEFAULT =
  "by default floor((kernel - 1) / 2) times the dilation, which keeps the size at stride 1; even kernels lose a row and a column by it.";
export const PAD = size(`Padding on each side; ${PAD_DEFAULT}`, { optional: true, min: 0 });
export const CEIL = boolean("Rounds the output size up, as Caffe does: the last window may reach beyond the padding.", {
  default: false,
});

/** The padding that keeps the size of an odd kernel at stride 1, where none is given. */
export function completePadding(attributes: Attributes): Attributes {
  if (attributes["pad"] !== undefined) return attributes;
  const kernel = size2(attributes, "kernel");
  const dilation = attributes["dilation"] === undefined ? [1, 1] : size2(attributes, "dilation");
  return { ...attributes, pad: kernel.map((size, axis) => Math.floor((size - 1) / 2) * dilation[axis]!) };
}

/**
 * What `ceil` adds to the padding at the end so that rounding down afterwards gives Caffe's size: a window may begin
 * wherever there is still a value or padding in front of the end of the map, never beyond (pooling_layer.cpp).
 */
export function ceilPadding(attributes: Attributes): Size2 {
  if (attributes["ceil"] !== true) return [0, 0];
  const [kernel, stride, pad] = [size2(attributes, "kernel"), size2(attributes, "stride"), size2(attributes, "pad")];
  const extra = (axis: 0 | 1): number => Math.min(stride[axis] - 1, kernel[axis] - 1 - pad[axis]);
  return [extra(0), extra(1)];
}

/** Height and width that windows make of a map; throws a ShapeError where not even one window fits. */
export function slide(map: FeatureMap, attributes: Attributes, layer: string): readonly [Dim, Dim] {
  const [kernel, stride, pad] = [size2(attributes, "kernel"), size2(attributes, "stride"), size2(attributes, "pad")];
  const dilation: Size2 = attributes["dilation"] === undefined ? [1, 1] : size2(attributes, "dilation");
  const ceil = ceilPadding(attributes);
  const span = (axis: 0 | 1): number => (kernel[axis] - 1) * dilation[axis] + 1;
  const along = (size: Dim, axis: 0 | 1): Dim => {
    const room = add(size, 2 * pad[axis]);
    const windows = add(floorDiv(add(room, ceil[axis] - span(axis)), stride[axis]), 1);
    requirePositive(
      windows,
      () =>
        `${layer}: the ${kernel.join("x")} kernel ${dilation.some((d) => d > 1) ? `with dilation ${dilation.join("x")} ` : ""}` +
        `spans ${span(0)}x${span(1)}, which does not fit into ${formatDim(map.height)}x${formatDim(map.width)}` +
        (pad.some((p) => p > 0) ? ` padded by ${pad.join("x")}` : ""),
      "use a smaller kernel, more padding, or fewer strides before it",
    );
    return windows;
  };
  return [along(map.height, 0), along(map.width, 1)];
}

/** A pool's padding has to be smaller than its window, or a window would see nothing but padding. */
export function requireSmallPadding(attributes: Attributes, layer: string): void {
  const [kernel, pad] = [size2(attributes, "kernel"), size2(attributes, "pad")];
  if (pad[0] >= kernel[0] || pad[1] >= kernel[1]) {
    throw new ShapeError(`${layer}: the padding ${pad.join("x")} is not smaller than the kernel ${kernel.join("x")}`);
  }
}

/** `, /2`, `, /2x1`, or nothing for stride 1. */
export function strideLabel(attributes: Attributes): string {
  const [height, width] = size2(attributes, "stride");
  if (height === 1 && width === 1) return "";
  return height === width ? `, /${height}` : `, /${height}x${width}`;
}

/** What a convolution's label says after its channels: `, groups 32, dilation 2, /2`, without what is as usual. */
export function windowLabel(attributes: Attributes): string {
  const groups = int(attributes, "groups");
  const [height, width] = size2(attributes, "dilation");
  const dilation = height === width ? `${height}` : `${height}x${width}`;
  return (
    (groups === 1 ? "" : `, groups ${groups}`) +
    (height === 1 && width === 1 ? "" : `, dilation ${dilation}`) +
    strideLabel(attributes)
  );
}

/** ONNX's `pads`: both begins, then both ends. */
export function onnxPads(pad: Size2, extra: Size2 = [0, 0]): readonly number[] {
  return [pad[0], pad[1], pad[0] + extra[0], pad[1] + extra[1]];
}
