import type { Lowering } from "../../emit/lowering.js";
import type { Dim } from "../../ir/dim.js";
import type { Node, Value } from "../../ir/types.js";
import { writeAxes, type Axis } from "./pooled.js";
import { writePictures } from "./regions.js";
import { writer, type Writer } from "./write.js";

/** Cells along a side of a map whose size is not known: 4,096 pixels at a stride of 16. */
const MOST_CELLS = 256;

/**
 * RoI max pooling by maxima that are made once for the map: over windows of 1, 2, 4, ... rows and as many columns, from
 * every cell. A bin is covered by the four of its largest that fit, one in each corner. Windows are as large as the bins
 * of a region that is no larger than the map need them; a larger region's bins miss some of their middle.
 */
export function writeTables(node: Node, emit: Lowering): void {
  const w = writer(node, emit);
  const [features] = node.inputs as readonly [Value];
  const axes = writeAxes(w, node.attributes, (axis) => w.size(features, axis));
  const [y, x] = axes.map((axis) => writeBins(w, axis, features.type.shape[axis.axis]!)) as [Bins, Bins];
  const table = writeMaxima(w, y.windows, x.windows);

  // Rows of the table: by window, picture, row and column of the map, [windows * N * h * w, C].
  const whole = (size: string): string => w.cast(size, "int32");
  const [batch, height, width] = [whole(w.size(features, 0)), ...axes.map((axis) => whole(axis.length))] as const;
  const plus = (a: string, b: string): string => w.step("Add", [a, b], "index");
  const times = (a: string, b: string): string => w.step("Mul", [a, b], "index");
  const rowOf = (bins: string): string => w.unsqueeze(bins, [2], "rows");
  const columnOf = (bins: string): string => w.unsqueeze(bins, [1], "columns");
  const window = plus(times(rowOf(y.window), w.whole(x.windows.length)), columnOf(x.window));
  const picture = w.unsqueeze(writePictures(w, w.inputs[1]!, "int32"), [1, 2], "picture.bins");
  const plane = times(plus(times(window, batch), picture), height!);
  const corners = [y.first, y.last].flatMap((row) =>
    [x.first, x.last].map((column) => {
      const place = plus(times(plus(plane, rowOf(row)), width!), columnOf(column));
      return w.step("Gather", [table, place], "corner", { axis: 0 });
    }),
  );
  const largest = w.step("Max", corners, "largest");
  const some = w.step("And", [rowOf(y.some), columnOf(x.some)], "some");
  const filled = w.step("Where", [w.unsqueeze(some, [3], "some.channels"), largest, w.number(0)], "filled");
  w.give("Transpose", [filled], { perm: [0, 3, 1, 2] });
}

/** The bins of all regions along one axis: int32 [R, bins], and whether there are cells in them. */
interface Bins {
  /** Sizes of the windows that there are: 1, 2, 4, ... */
  readonly windows: readonly number[];
  /** Which of them each bin takes. */
  readonly window: string;
  /** Where the window begins that starts with the bin, and the one that ends with it. */
  readonly first: string;
  readonly last: string;
  readonly some: string;
}

function writeBins(w: Writer, { from, to, bins, length }: Axis, known: Dim): Bins {
  const whole = (x: string, suffix: string): string => w.cast(x, "int32", suffix);
  const [first, last] = [whole(writeRounded(w, from), "cell.first"), whole(writeRounded(w, to), "cell.last")];
  const int = w.whole;

  // A region of the whole picture may be a cell longer than the map, by rounding, and one more where Caffe pools.
  const longest = (typeof known === "number" ? known : MOST_CELLS) + 2;
  const span = w.step("Add", [w.step("Sub", [last, first], "way"), int(1)], "span");
  const size = w.step("Min", [w.step("Max", [span, int(1)], "span.one"), int(longest)], "span.known");
  const ranges = Array.from({ length: longest + 1 }, (_, cells) => binRanges(cells, bins));
  /** Cells from the region's first to a bin's start or end, by the region's size: [R, bins]. */
  const offsets = (which: 0 | 1, suffix: string): string => {
    const list = w.wholes(
      ranges.flatMap((each) => each.map((range) => range[which])),
      [longest + 1, bins],
    );
    const own = w.step("Gather", [list, w.step("Squeeze", [size, w.ints(1)], "size")], suffix, { axis: 0 });
    const place = w.step("Add", [own, first], `${suffix}.map`);
    return w.step("Min", [w.step("Max", [place, int(0)], "not_before"), whole(length, "cells")], `${suffix}.inside`);
  };
  const [start, end] = [offsets(0, "start"), offsets(1, "end")];
  const extent = w.step("Sub", [end, start], "extent");

  const widest = Math.min(longest - 2, Math.max(...ranges.flat().map(([a, b]) => b - a)));
  const windows = [1];
  while (2 * windows.at(-1)! <= widest) windows.push(2 * windows.at(-1)!);
  const reached = windows
    .slice(1)
    .map((window) => whole(w.step("GreaterOrEqual", [extent, int(window)], "reached"), "step"));
  const window = reached.reduce(
    (sum, each) => w.step("Add", [sum, each], "window"),
    w.step("Mul", [extent, int(0)], "none"),
  );
  const cells = w.step("Gather", [w.wholes(windows, [windows.length]), window], "window.cells");
  // What has no cells begins at one of the map all the same: it is read, and not used.
  const lastCell = w.step("Sub", [whole(length, "cells"), int(1)], "cell.end");
  const onMap = (place: string, suffix: string): string =>
    w.step("Min", [w.step("Max", [place, int(0)], "not_before"), lastCell], suffix);
  return {
    windows,
    window,
    first: onMap(start, "window.first"),
    last: onMap(w.step("Sub", [end, cells], "window.end"), "window.last"),
    some: w.step("Greater", [extent, int(0)], "some"),
  };
}

/** First cell of each bin of a region of so many cells, and the one after its last: in float32, as Caffe divides. */
function binRanges(cells: number, bins: number): readonly (readonly [number, number])[] {
  const size = Math.fround(cells / bins);
  return Array.from({ length: bins }, (_, bin) => [
    Math.floor(Math.fround(bin * size)),
    Math.ceil(Math.fround((bin + 1) * size)),
  ]);
}

/** To whole numbers, halves away from 0, as C rounds. */
function writeRounded(w: Writer, x: string): string {
  const size = w.step("Abs", [x], "size");
  const below = w.step("Floor", [size], "below");
  const half = w.step("GreaterOrEqual", [w.step("Sub", [size, below], "rest"), w.number(0.5)], "half");
  const rounded = w.step("Add", [below, w.cast(half, "float32", "half.number")], "rounded");
  const negative = w.step("Less", [x, w.number(0)], "negative");
  return w.step("Where", [negative, w.step("Neg", [rounded], "rounded.negative"), rounded], "rounded.signed");
}

/** Maxima from every cell over windows of all these heights and widths: rows of C values. */
function writeMaxima(w: Writer, heights: readonly number[], widths: readonly number[]): string {
  const over = (x: string, height: number, width: number): string => {
    if (height === 1 && width === 1) return x;
    const [kernel, pads] = [
      [height, width],
      [0, 0, height - 1, width - 1],
    ];
    return w.step("MaxPool", [x], "maxima", { kernel_shape: kernel, pads });
  };
  const all = heights.flatMap((height) => {
    const rows = over(w.inputs[0]!, height, 1);
    return widths.map((width) => over(rows, 1, width));
  });
  const joined = all.length === 1 ? all[0]! : w.concat(all, 0, "windows");
  const last = w.step("Transpose", [joined], "channels_last", { perm: [0, 2, 3, 1] });
  return w.step("Flatten", [last], "table", { axis: 3 });
}
