import type { Lowering } from "../lowering.js";
import type { Node, Value } from "../../ir/types.js";
import { int } from "../attributes.js";
import { writePoints } from "./align_points.js";
import { writeAxes, type Axis } from "./pooled.js";
import { writer } from "../write.js";

/** Nowhere on the map: GridSample gives 0 there. */
const OUTSIDE = -8;

/**
 * RoI Align as one GridSample: the images one below the other are one map, the points of all regions one grid, and
 * bins are averages of neighbouring points. Points lie on or between cells of their own image, so that none takes
 * part of another's.
 */
export function writeSamples(node: Node, emit: Lowering): void {
  const w = writer(node, emit);
  const { attributes } = node;
  const [features, regions] = node.inputs as readonly [Value, Value];
  const axes = writeAxes(w, attributes, w.inputs[1]!, (axis) => w.size(features, axis));
  const sampling = int(attributes, "sampling");
  const [batch, rows, channels] = [w.size(features, 0), w.size(regions, 0), w.size(features, 1)];
  // The number of regions is no first size here, and 0 would mean a size as it was.
  const reshape = (from: string, shape: readonly (number | string)[], suffix: string): string =>
    w.step("Reshape", [from, w.shape(...shape)], suffix, { allowzero: 1 });
  const [height, width] = axes.map((axis) => axis.bins * sampling) as [number, number];

  const tall = w.step("Mul", [batch, axes[0].length], "tall");
  const above = w.step("Mul", [w.slice(w.inputs[1]!, 1, 0, 1, "image"), w.cast(axes[0].length, "float32")], "above");
  /** GridSample's coordinates, from -1 to 1 between the map's edges, of all points along an axis: [R, points]. */
  const coordinates = (axis: Axis, cells: string, before?: string): string => {
    const { places, within } = writePoints(w, axis, attributes);
    const flat = (x: string, suffix: string): string => w.reshape(x, [rows, axis.bins * sampling], suffix);
    const place = flat(places, "place");
    const onMap = before === undefined ? place : w.step("Add", [place, before], "place.map");
    const middle = w.step("Add", [w.step("Mul", [onMap, w.number(2)], "twice"), w.number(1)], "middle");
    const edge = w.step("Sub", [w.step("Div", [middle, w.cast(cells, "float32")], "share"), w.number(1)], "coordinate");
    return w.step("Where", [flat(within, "within.flat"), edge, w.number(OUTSIDE)], "coordinate.known");
  };
  const y = w.unsqueeze(coordinates(axes[0], tall, above), [2, 3], "y.grid");
  const x = w.unsqueeze(coordinates(axes[1], axes[1].length), [1, 3], "x.grid");
  const spread = (part: string, suffix: string): string => w.expand(part, [rows, height, width, 1], suffix);
  const pairs = w.concat([spread(x, "x.all"), spread(y, "y.all")], 3, "grid");
  const lines = w.step("Mul", [rows, w.ints(height)], "rows");
  const grid = reshape(pairs, [1, lines, width, 2], "grid.one");

  const apart = w.step("Transpose", [w.inputs[0]!], "channels", { perm: [1, 0, 2, 3] });
  const map = w.reshape(apart, [1, channels, tall, axes[1].length], "map");
  const mode = emit.opset >= 20 ? "linear" : "bilinear";
  const sampled = w.step("GridSample", [map, grid], "sampled", { mode, padding_mode: "zeros", align_corners: 0 });
  // Averages of neighbours, not a pool: a level of a pyramid may have no regions, and a pool of nothing is an error.
  const sizes = [channels, rows, axes[0].bins, sampling, axes[1].bins, sampling];
  const byRegion = w.reduce("Mean", reshape(sampled, sizes, "points.apart"), [3, 5], "by_region");
  w.give("Transpose", [byRegion], { perm: [1, 0, 2, 3] });
}
