/** What the shape rules share: reading the shape of a feature map, and saying clearly why it does not fit. */
import { bounds, equalDims, formatShape, isSymbolic, type Dim } from "../ir/dim.js";
import type { TensorType } from "../ir/types.js";
import { ShapeError } from "./operator.js";

export interface FeatureMap {
  readonly batch: Dim;
  readonly channels: number;
  readonly height: Dim;
  readonly width: Dim;
}

/** The parts of [N, channels, height, width]; throws a ShapeError for any other rank. */
export function featureMap(type: TensorType | undefined, layer: string): FeatureMap {
  const [batch, channels, height, width] = known(type).shape;
  if (known(type).shape.length !== 4) {
    throw new ShapeError(
      `${layer} needs [N, channels, height, width], got ${formatShape(known(type).shape)}`,
      "height and width end at `flatten` and `fc`; put it before them",
    );
  }
  return { batch: batch!, channels: channelCount(channels!, layer), height: height!, width: width! };
}

/** The channels of [N, channels, ...]; throws a ShapeError where they are not a number. */
export function channelsOf(type: TensorType | undefined, layer: string): number {
  return channelCount(known(type).shape[1] ?? 1, layer);
}

export function known(type: TensorType | undefined): TensorType {
  if (type === undefined) throw new TypeError("a node has fewer inputs than its operator takes");
  return type;
}

/** The same type with another shape. */
export function reshaped(type: TensorType | undefined, shape: readonly Dim[]): TensorType {
  return { dtype: known(type).dtype, shape };
}

/** Throws a ShapeError if the size can't be positive, whatever its symbols stand for. */
export function requirePositive(size: Dim, message: () => string, help?: string): void {
  if (bounds(size).max < 1) throw new ShapeError(message(), help);
}

const AXES = ["batch", "channels", "height", "width"] as const;

/** `channels differ, 64 and 256`; undefined where the shapes are equal on the axes that count. */
export function difference(a: readonly Dim[], b: readonly Dim[], ignoredAxis?: number): string | undefined {
  if (a.length !== b.length) return `${a.length} dimensions and ${b.length}`;
  const named = (axis: number): string => (a.length === 4 || axis < 2 ? AXES[axis]! : `dimension ${axis}`);
  const parts = a.flatMap((dim, axis) => {
    const other = b[axis]!;
    if (axis === ignoredAxis || equalDims(dim, other)) return [];
    const verb = named(axis) === "channels" ? "differ" : "differs";
    return [`${named(axis)} ${verb}, ${formatShape([dim]).slice(1, -1)} and ${formatShape([other]).slice(1, -1)}`];
  });
  return parts.length === 0 ? undefined : parts.join("; ");
}

function channelCount(channels: Dim, layer: string): number {
  if (!isSymbolic(channels)) return channels;
  throw new ShapeError(
    `${layer} needs a known number of channels, got ${formatShape([channels]).slice(1, -1)}`,
    "put `global_avg_pool` before it, which leaves one value a channel whatever the image's size",
  );
}
