import type { Lowering } from "../../emit/lowering.js";
import type { Node, Value } from "../../ir/types.js";
import { writePoints } from "./align_points.js";
import { writeAxes, type Axis } from "./pooled.js";
import { writer, type Writer } from "./write.js";

/** Channels at once: between the products there is a value for each region, bin, channel and column of the map. */
const CHANNELS = 256;

/**
 * RoI Align as two products with matrices: what each row of the map counts in each row of bins, [R, bins, h], and each
 * column in each column. The first product is one for all regions, [R * bins, N * h] with [N * h, C * w]: other
 * pictures' rows count nothing. The second is one for each region.
 */
export function writeProducts(node: Node, emit: Lowering): void {
  const w = writer(node, emit);
  const [features, regions] = node.inputs as readonly [Value, Value];
  const axes = writeAxes(w, node.attributes, (axis) => w.size(features, axis));
  const [height, width] = [axes[0].bins, axes[1].bins];
  const [batch, rows] = [w.size(features, 0), w.size(regions, 0)];
  const columns = w.step("Transpose", [writeWeights(w, axes[1], node)], "columns", { perm: [0, 2, 1] });

  // [R, bins, h] for the region's picture, 0 for others: [R, bins, N, h].
  const picture = w.slice(w.inputs[1]!, 1, 0, 1, "picture");
  const own = w.cast(w.step("Equal", [picture, w.range(batch, "float32", "pictures")], "own"), "float32");
  const weights = w.unsqueeze(writeWeights(w, axes[0], node), [2], "rows.picture");
  const spread = w.step("Mul", [weights, w.unsqueeze(own, [1, 3], "own.picture")], "rows.all");
  const tall = w.step("Mul", [batch, axes[0].length], "tall");
  const left = w.reshape(spread, [w.step("Mul", [rows, w.ints(height)], "bins"), tall], "rows.flat");

  const all = features.type.shape[1] as number;
  const parts = Array.from({ length: Math.ceil(all / CHANNELS) }, (_, index) => {
    const [from, to] = [index * CHANNELS, Math.min(all, (index + 1) * CHANNELS)];
    const part = to - from === all ? w.inputs[0]! : w.slice(w.inputs[0]!, 1, from, to, "features");
    const lines = w.step("Transpose", [part], "lines", { perm: [0, 2, 1, 3] });
    const wide = w.step("Mul", [axes[1].length, w.ints(to - from)], "wide");
    const first = w.step("MatMul", [left, w.reshape(lines, [tall, wide], "lines.flat")], "by_row");
    const byRegion = w.reshape(first, [rows, height * (to - from), axes[1].length], "by_region");
    const second = w.step("MatMul", [byRegion, columns], "by_column");
    const apart = w.reshape(second, [rows, height, to - from, width], "apart");
    return w.step("Transpose", [apart], "pooled", { perm: [0, 2, 1, 3] });
  });
  w.give(parts.length === 1 ? "Identity" : "Concat", parts, parts.length === 1 ? {} : { axis: 1 });
}

/** What each cell along an axis counts in each bin: [R, bins, cells]. A point counts in both cells that it is between. */
function writeWeights(w: Writer, axis: Axis, { attributes }: Node): string {
  const { places, within, shares } = writePoints(w, axis, attributes);
  const cells = w.range(axis.length, "float32", "cell");
  const way = w.step("Abs", [w.step("Sub", [w.unsqueeze(places, [3], "places.cells"), cells], "way")], "distance");
  const near = w.step("Max", [w.step("Sub", [w.number(1), way], "nearness"), w.number(0)], "hat");
  let counted = w.cast(within, "float32", "within.number");
  if (shares !== undefined) counted = w.step("Mul", [counted, shares], "counted");
  const weighted = w.step("Mul", [near, w.unsqueeze(counted, [3], "counted.cells")], "weighted");
  return w.reduce(shares === undefined ? "Mean" : "Sum", weighted, [2], `${axis.name}.weights`);
}
