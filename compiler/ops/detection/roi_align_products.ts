import type { Lowering } from "../lowering.js";
import type { Attributes, Node, Value } from "../../ir/types.js";
import { writePoints, type Points } from "./align_points.js";
import { writeAxes, type Axis } from "./pooled.js";
import { writer, type Writer } from "../write.js";

/** Channels at once: between the products there is a value for each region, bin, channel and column of the map. */
const CHANNELS = 256;

/**
 * RoI Align as two products with matrices: what each row of the map counts in each row of bins, [R, bins, h], and each
 * column in each column. The first product is one for all regions, [R * bins, N * h] with [N * h, C * w]: other
 * images' rows count nothing. The second is one for each region.
 */
export function writeProducts(node: Node, emit: Lowering): void {
  const w = writer(node, emit);
  const features = node.inputs[0]!;
  const { rows, columns, tall, wide, size, count } = writeMatrices(w, node.attributes, features, w.inputs[1]!);
  const across = w.step("Transpose", [columns], "columns", { perm: [0, 2, 1] });
  const parts = channelParts(features).map(([from, to]) => {
    const part = w.slice(w.inputs[0]!, 1, from, to, "features");
    const lines = w.step("Transpose", [part], "lines", { perm: [0, 2, 1, 3] });
    const flat = w.reshape(lines, [tall, wide(to - from)], "lines.flat");
    const first = w.step("MatMul", [rows, flat], "by_row");
    const byRegion = w.reshape(first, [count, size[0] * (to - from), wide(1)], "by_region");
    const second = w.step("MatMul", [byRegion, across], "by_column");
    const apart = w.reshape(second, [count, size[0], to - from, size[1]], "apart");
    return w.step("Transpose", [apart], "pooled", { perm: [0, 2, 1, 3] });
  });
  w.give("Concat", parts, { axis: 1 });
}

/** dy [R, C, size], features, regions to the features' gradient: the same products, the other way round. */
export function writeProductsGradient(node: Node, emit: Lowering): void {
  const w = writer(node, emit);
  const features = node.inputs[1]!;
  const { rows, columns, tall, wide, size, count } = writeMatrices(w, node.attributes, features, w.inputs[2]!);
  const down = w.step("Transpose", [rows], "rows", { perm: [1, 0] });
  const map = w.shape(...[0, 2, 1, 3].map((axis) => w.size(features, axis)));
  const parts = channelParts(features).map(([from, to]) => {
    const part = w.slice(w.inputs[0]!, 1, from, to, "dy");
    const apart = w.step("Transpose", [part], "dy.rows", { perm: [0, 2, 1, 3] });
    const byRegion = w.reshape(apart, [count, size[0] * (to - from), size[1]], "dy.by_region");
    const first = w.step("MatMul", [byRegion, columns], "by_column");
    const bins = w.step("Mul", [count, w.ints(size[0])], "bins");
    const second = w.step("MatMul", [down, w.reshape(first, [bins, wide(to - from)], "by_bin")], "by_row");
    return w.reshape(second, [tall, to - from, wide(1)], "lines");
  });
  const lines = w.step("Reshape", [w.concat(parts, 1, "lines.all"), map], "map");
  w.give("Transpose", [lines], { perm: [0, 2, 1, 3] });
}

interface Matrices {
  /** What rows of all images count in the rows of bins of all regions: [R * ph, N * h]. */
  readonly rows: string;
  /** What columns count in the columns of bins: [R, pw, w]. */
  readonly columns: string;
  /** N * h; w times a number. */
  readonly tall: string;
  wide(channels: number): string;
  /** Bins down and across. */
  readonly size: readonly [number, number];
  /** R. */
  readonly count: string;
}

function writeMatrices(w: Writer, attributes: Attributes, features: Value, regions: string): Matrices {
  const axes = writeAxes(w, attributes, regions, (axis) => w.size(features, axis));
  const [batch, count] = [w.size(features, 0), w.sizeOf(regions, 0)];
  // [R, bins, h] for the region's image, 0 for others: [R, bins, N, h].
  const image = w.slice(regions, 1, 0, 1, "image");
  const own = w.cast(w.step("Equal", [image, w.range(batch, "float32", "images")], "own"), "float32");
  const points = axes.map((axis) => writePoints(w, axis, attributes));
  const weights = w.unsqueeze(writeWeights(w, axes[0], points[0]!), [2], "rows.image");
  const spread = w.step("Mul", [weights, w.unsqueeze(own, [1, 3], "own.image")], "rows.all");
  const tall = w.step("Mul", [batch, axes[0].length], "tall");
  const bins = w.step("Mul", [count, w.ints(axes[0].bins)], "bins");
  return {
    rows: w.reshape(spread, [bins, tall], "rows.flat"),
    columns: writeWeights(w, axes[1], points[1]!),
    tall,
    wide: (channels) => (channels === 1 ? axes[1].length : w.step("Mul", [axes[1].length, w.ints(channels)], "wide")),
    size: [axes[0].bins, axes[1].bins],
    count,
  };
}

/** From and up to which channel each part goes. */
export function channelParts(features: Value): readonly (readonly [number, number])[] {
  const all = features.type.shape[1] as number;
  return Array.from({ length: Math.ceil(all / CHANNELS) }, (_, index) => [
    index * CHANNELS,
    Math.min(all, (index + 1) * CHANNELS),
  ]);
}

/**
 * What each cell along an axis counts in each bin: [R, bins, cells]. A point counts in both cells that it is between. `cells`:
 * which, where not all of the map, [R, 1, 1, cells].
 */
export function writeWeights(w: Writer, axis: Axis, { places, within, shares }: Points, cells?: string): string {
  const wanted = cells ?? w.range(axis.length, "float32", "cell");
  const way = w.step("Abs", [w.step("Sub", [w.unsqueeze(places, [3], "places.cells"), wanted], "way")], "distance");
  const near = w.step("Max", [w.step("Sub", [w.number(1), way], "nearness"), w.number(0)], "hat");
  let counted = w.cast(within, "float32", "within.number");
  if (shares !== undefined) counted = w.step("Mul", [counted, shares], "counted");
  const weighted = w.step("Mul", [near, w.unsqueeze(counted, [3], "counted.cells")], "weighted");
  return w.reduce(shares === undefined ? "Mean" : "Sum", weighted, [2], `${axis.name}.weights`);
}
