import type { Lowering } from "../lowering.js";
import { sizes } from "../formula.js";
import type { Node } from "../operator.js";
import { writeCorners } from "./roi_pool_bins.js";
import { LOWEST } from "./scores.js";
import { writer, type Writer } from "../write.js";

/** Beyond any cell. */
const NOWHERE = 2 ** 24;

/** The largest values of windows from every cell, and where they are in the map: float32 [N, C, h, w] each. */
interface Largest {
  readonly values: string;
  readonly cells: string;
}

/**
 * Where the largest value of each bin is, from tables as RoI pooling by tables has them, but of cells too: a window of
 * twice the size is the better of two, of equals the one whose cell is first. ONNX's MaxPool can say where its maxima
 * are, but not on WebGPU. Then dy is added up at those cells.
 */
export function writePoolGradient(node: Node, emit: Lowering): void {
  const w = writer(node, emit);
  const [batch, channels, height, width] = sizes(node.inputs[1]!) as [number, number, number, number];
  const { heights, widths, places, some } = writeCorners(w, node, 1, 2);
  const tables = heights.reduce<readonly Largest[][]>((all, size, index) => {
    const rows = size === 1 ? writeCells(w, node) : writeDoubled(w, node, all[index - 1]![0]!, 2, size / 2);
    const wider = widths
      .slice(1)
      .reduce<Largest[]>((row, wide) => [...row, writeDoubled(w, node, row.at(-1)!, 3, wide / 2)], [rows]);
    return [...all, wider];
  }, []);
  const table = (kind: keyof Largest): string => {
    const joined = w.concat(
      tables.flat().map((each) => each[kind]),
      0,
      kind,
    );
    const last = w.step("Transpose", [joined], `${kind}.last`, { perm: [0, 2, 3, 1] });
    return w.step("Flatten", [last], `${kind}.table`, { axis: 3 });
  };
  const [values, cells] = [table("values"), table("cells")];
  const corners = places.map((place) => {
    const take = (from: string, suffix: string): string => w.step("Gather", [from, place], suffix, { axis: 0 });
    return { values: take(values, "corner"), cells: take(cells, "corner.cells") };
  });
  const { cells: cell } = corners.reduce((best, each) => writeBetter(w, best, each));

  // [R, ph, pw, C] in rows, and the map with its channels last: each channel adds up by itself.
  const rows = (x: string, suffix: string): string => w.step("Flatten", [x], suffix, { axis: 3 });
  // Emptied first: ONNX Runtime would move the transposition past a choice, and WebGPU transposes no truths.
  const dy = w.step("Where", [w.unsqueeze(some, [1], "some.channels"), w.inputs[0]!, w.number(0)], "dy.some");
  const given = w.step("Transpose", [dy], "given", { perm: [0, 2, 3, 1] });
  const zeros = w.expand(w.number(0), [batch * height * width, channels], "zeros");
  const where = w.cast(rows(cell, "cells.rows"), "int32", "places");
  const sums = w.step("ScatterElements", [zeros, where, rows(given, "given.rows")], "sums", {
    axis: 0,
    reduction: "add",
  });
  const map = w.reshape(sums, [batch, height, width, channels], "map");
  w.give("Transpose", [map], { perm: [0, 3, 1, 2] });
}

/** Windows of one cell, each at its own place: by image, row and column. */
function writeCells(w: Writer, node: Node): Largest {
  const [batch, channels, height, width] = sizes(node.inputs[1]!) as [number, number, number, number];
  const numbers = w.range(w.ints(batch * height * width), "float32", "numbers");
  const plane = w.reshape(numbers, [batch, 1, height, width], "plane");
  return { values: w.inputs[1]!, cells: w.expand(plane, [batch, channels, height, width], "cells") };
}

/** Windows twice as large along an axis, of those that begin at a cell and `way` cells later; beyond the map is nothing. */
function writeDoubled(w: Writer, node: Node, single: Largest, axis: 2 | 3, way: number): Largest {
  const shape = sizes(node.inputs[1]!);
  const beyond = shape.with(axis, way);
  const moved = (x: string, fill: number): string => {
    const rest = w.slice(x, axis, way, shape[axis]!, "rest");
    return w.concat([rest, w.expand(w.number(fill), beyond, "beyond")], axis, "moved");
  };
  return writeBetter(w, single, { values: moved(single.values, LOWEST), cells: moved(single.cells, NOWHERE) });
}

/** Place by place the larger of two, of equals the first cell. */
function writeBetter(w: Writer, a: Largest, b: Largest): Largest {
  const values = w.step("Max", [a.values, b.values], "values");
  const cells = [a, b].map((each) => {
    const isLargest = w.step("GreaterOrEqual", [each.values, values], "is_largest");
    return w.step("Where", [isLargest, each.cells, w.number(NOWHERE)], "cells");
  });
  return { values, cells: w.step("Min", cells, "cells.first") };
}
