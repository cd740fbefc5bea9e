/**
 * The gradient of RoI Align as products for each image of the batch: those for all images at once (roi_align_products.ts)
 * multiply every region with the rows of all other images' maps, by 0. A wide map is cut into tiles of some columns besides,
 * each of which takes the regions that reach into it.
 */
import type { Lowering } from "../lowering.js";
import type { Dim } from "../../ir/dim.js";
import type { Node } from "../../ir/types.js";
import { writePoints } from "./align_points.js";
import { writeRowsByImage } from "./by_image.js";
import { writeAxes, type Axis } from "./pooled.js";
import { channelParts, writeWeights } from "./roi_align_products.js";
import { writer, type Writer } from "../write.js";

/** Columns of a tile, about, and of a map from which on it is cut. */
const TILE = 32;
const WIDE = 80;

/** dy [R, C, size], features, regions to the features' gradient. */
export function writeGradientByImage(node: Node, emit: Lowering): void {
  const w = writer(node, emit);
  const { attributes } = node;
  const features = node.inputs[1]!;
  const [dy, , regions] = w.inputs as readonly [string, string, string];
  const size = (axis: number): string => w.size(features, axis);
  const [batch, height, width] = [size(0), size(2), size(3)];
  const tiles = tilesOf(features.type.shape[3]!);
  const count = tiles?.count ?? 1;

  // The regions of each part, a tile of an image: as many rows of each, of which some only fill up.
  const reaches = tiles && writeReaches(w, writeAxes(w, attributes, regions, size)[1], tiles);
  const rows = writeRowsByImage(w, regions, batch, reaches);
  const parts = count === 1 ? batch : w.step("Mul", [batch, w.ints(count)], "parts");
  const own = w.reshape(rows.gather(regions, w.numbers([-1, 0, 0, 0, 0], [1, 5]), "regions"), [-1, 5], "regions.rows");
  const isOwn = w.step("GreaterOrEqual", [w.column(own, 0, "image"), w.number(0)], "is_own");
  const axes = writeAxes(w, attributes, own, size);
  const points = axes.map((axis) => writePoints(w, axis, attributes));
  const [down, across] = [axes[0].bins, axes[1].bins];

  const counted = w.unsqueeze(w.cast(isOwn, "float32", "own.number"), [1, 2], "own");
  const all = w.step("Mul", [writeWeights(w, axes[0], points[0]!), counted], "rows.own");
  const byPart = w.reshape(all, [parts, -1, height], "rows.parts");
  const byRow = w.step("Transpose", [byPart], "rows", { perm: [0, 2, 1] });
  const cells = tiles && writeCells(w, tiles, batch, rows.most);
  const columns = writeWeights(w, axes[1], points[1]!, cells);
  const seen = tiles ? w.ints(tiles.columns) : width;

  const bins = w.step("Transpose", [dy], "dy.bins", { perm: [0, 2, 1, 3] });
  const maps = channelParts(features).map(([from, to]) => {
    const channels = to - from;
    const part = channels === features.type.shape[1] ? bins : w.slice(bins, 2, from, to, "dy.part");
    const none = w.expand(w.number(0), [1, down, channels, across], "dy.none");
    const flat = w.reshape(rows.gather(part, none, "dy"), [-1, down * channels, across], "dy.flat");
    const first = w.step("MatMul", [flat, columns], "by_column");
    const line = w.step("Mul", [seen, w.ints(channels)], "line");
    const second = w.step("MatMul", [byRow, w.reshape(first, [parts, -1, line], "by_bin")], "by_row");
    const lines = w.reshape(second, [batch, count, height, channels, seen], "lines");
    return w.step("Transpose", [lines], "map", { perm: [0, 3, 2, 1, 4] });
  });
  const joined = maps.length === 1 ? maps[0]! : w.concat(maps, 1, "maps");
  const whole = w.shape(batch, size(1), height, tiles ? tiles.count * tiles.columns : width);
  const beyond = tiles !== undefined && tiles.count * tiles.columns > tiles.width;
  if (!beyond) return w.give("Reshape", [joined, whole]);
  w.give("Slice", [w.step("Reshape", [joined, whole], "tiles.map"), w.ints(0), width, w.ints(3)]);
}

/** Columns of a map, in tiles side by side. */
interface Tiles {
  readonly width: number;
  readonly count: number;
  readonly columns: number;
}

function tilesOf(width: Dim): Tiles | undefined {
  if (typeof width !== "number" || width < WIDE) return undefined;
  const count = Math.round(width / TILE);
  return { width, count, columns: Math.ceil(width / count) };
}

/** Which regions may have a point between columns of each tile, or a cell beside: boolean [T, R]. */
function writeReaches(w: Writer, { from, to }: Axis, { count, columns }: Tiles): string {
  const starts = Array.from({ length: count }, (_, tile) => tile * columns);
  const row = (x: string, suffix: string): string => w.reshape(x, [1, -1], suffix);
  // A region may be turned round, and is then a cell at least; a point counts in the cells on both of its sides.
  const [first, last] = [w.step("Min", [from, to], "first"), w.step("Max", [from, to], "last")];
  const ends = w.numbers(
    starts.map((start) => start + columns + 1),
    [count, 1],
  );
  const begins = w.numbers(
    starts.map((start) => start - 2),
    [count, 1],
  );
  const before = w.step("Less", [row(first, "first.row"), ends], "begins");
  return w.step("And", [before, w.step("Greater", [row(last, "last.row"), begins], "ends")], "reaches");
}

/** The columns that each row of the table sees, those of its tile: float32 [N * T * P, 1, 1, columns]. */
function writeCells(w: Writer, { count, columns }: Tiles, batch: string, most: string): string {
  const all = Array.from({ length: count * columns }, (_, column) => column);
  const cells = w.expand(w.numbers(all, [1, count, 1, columns]), [batch, count, most, columns], "cells");
  return w.reshape(cells, [-1, 1, 1, columns], "cells.rows");
}
