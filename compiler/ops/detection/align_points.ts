/** Where the bins of RoI Align are sampled, along one axis. */
import type { Attributes } from "../../ir/types.js";
import { flag, int } from "../attributes.js";
import type { Axis } from "./pooled.js";
import type { Writer } from "../write.js";

export interface Points {
  /** float32 [R, bins, S]: places on the map, moved onto its nearest cell. */
  readonly places: string;
  /** Boolean [R, bins, S]: no more than a cell outside of the map. */
  readonly within: string;
  /** float32 [R, 1, S], what each point counts in its bin; undefined where all count the same. */
  readonly shares: string | undefined;
}

/** Start and extent of the regions along an axis: [R, 1] each. */
function writeExtent(w: Writer, { from, to }: Axis, aligned: boolean): readonly [start: string, extent: string] {
  const extent = w.step("Sub", [to, from], "extent");
  if (aligned) return [w.step("Sub", [from, w.number(0.5)], "start"), extent];
  return [from, w.step("Max", [extent, w.number(1)], "extent.cell")];
}

export function writePoints(w: Writer, axis: Axis, attributes: Attributes): Points {
  const [start, extent] = writeExtent(w, axis, flag(attributes, "aligned"));
  const sampling = int(attributes, "sampling");
  const [column, length] = [w.unsqueeze(start, [2], "start.column"), w.unsqueeze(extent, [2], "extent.column")];
  const { bins } = axis;
  const numbers = Array.from({ length: bins }, (_, bin) => bin);
  let offsets: string;
  let shares: string | undefined;
  if (sampling > 0) {
    const parts = Array.from({ length: sampling }, (_, point) => (point + 0.5) / sampling);
    const all = numbers.flatMap((bin) => parts.map((part) => (bin + part) / bins));
    offsets = w.step("Mul", [length, w.numbers(all, [1, bins, sampling])], "offsets");
  } else {
    const { active, count } = writeCounts(w, extent, length, bins);
    shares = w.step("Div", [w.cast(active, "float32", "active.number"), count], "shares");
    const index = w.range(w.sizeOf(active, 2), "float32", "point");
    const part = w.step("Div", [w.step("Add", [index, w.number(0.5)], "point.middle"), count], "part");
    const bin = w.step("Add", [part, w.numbers(numbers, [1, bins, 1])], "bin.part");
    const step = w.step("Mul", [length, w.number(1 / bins)], "bin.size");
    offsets = w.step("Mul", [bin, step], "offsets");
  }
  const points = w.step("Add", [column, offsets], "points");
  const cells = w.cast(axis.length, "float32", "cells");
  const last = w.step("Sub", [cells, w.number(1)], "last");
  const inside = w.step("Min", [w.step("Max", [points, w.number(0)], "not_before"), last], "places");
  const ends = [
    w.step("GreaterOrEqual", [points, w.number(-1)], "after_start"),
    w.step("LessOrEqual", [points, cells], "before_end"),
  ];
  return { places: inside, within: w.step("And", ends, "within"), shares };
}

/**
 * As many points as cells in a bin, rounded up: those whose number times the bins is less than the extent. Compared, not
 * divided, which a GPU does not do exactly. Boolean [R, 1, S], S as many as any region has, and how many [R, 1, 1].
 */
function writeCounts(w: Writer, extent: string, column: string, bins: number): { active: string; count: string } {
  // One more region of one point: there is a largest then.
  const all = w.concat([extent, w.numbers([1], [1, 1])], 0, "extents");
  const largest = w.reshape(w.reduce("Max", all, [0, 1], "largest", true), [1], "largest.one");
  const most = w.cast(
    w.step("Ceil", [w.step("Mul", [largest, w.number(1 / bins)], "cells.most")], "points.most"),
    "int64",
  );
  const starts = w.step("Mul", [w.range(most, "float32", "numbers"), w.number(bins)], "starts");
  const active = w.step("Less", [w.unsqueeze(starts, [0, 1], "starts.row"), column], "active");
  const sum = w.reduce("Sum", w.cast(active, "float32", "active.counted"), [2], "count", true);
  return { active, count: w.step("Max", [sum, w.number(1)], "count.one") };
}
