/** Where the bins of RoI max pooling are, and the windows of 1, 2, 4, ... cells that cover them. */
import type { Dim } from "../../ir/dim.js";
import type { Node } from "../../ir/types.js";
import { writeAxes, type Axis } from "./pooled.js";
import { writeImages } from "./regions.js";
import type { Writer } from "../write.js";

/** Cells along a side of a map whose size is not known: 4,096 pixels at a stride of 16. */
const MOST_CELLS = 256;

export interface Corners {
  /** Heights and widths of the windows that there are, which begin at every cell. */
  readonly heights: readonly number[];
  readonly widths: readonly number[];
  /**
   * Of each bin the four windows of the largest kind that fits, one in each corner, as rows of a table of all windows: by
   * height, width, image, row and column. int32 [R, ph, pw].
   */
  readonly places: readonly string[];
  /** Whether there are cells in a bin: boolean [R, ph, pw]. */
  readonly some: string;
}

/** Of features and regions, a node's inputs `map` and `regions` by their number. */
export function writeCorners(w: Writer, node: Node, map: number, regions: number): Corners {
  const features = node.inputs[map]!;
  const axes = writeAxes(w, node.attributes, w.inputs[regions]!, (axis) => w.size(features, axis));
  const [y, x] = axes.map((axis) => writeBins(w, axis, features.type.shape[axis.axis]!)) as [Bins, Bins];
  const whole = (size: string): string => w.cast(size, "int32");
  const [batch, height, width] = [whole(w.size(features, 0)), ...axes.map((axis) => whole(axis.length))] as const;
  const plus = (a: string, b: string): string => w.step("Add", [a, b], "index");
  const times = (a: string, b: string): string => w.step("Mul", [a, b], "index");
  const rowOf = (bins: string): string => w.unsqueeze(bins, [2], "rows");
  const columnOf = (bins: string): string => w.unsqueeze(bins, [1], "columns");
  const window = plus(times(rowOf(y.window), w.whole(x.windows.length)), columnOf(x.window));
  const image = w.unsqueeze(writeImages(w, w.inputs[regions]!, "int32"), [1, 2], "image.bins");
  const plane = times(plus(times(window, batch), image), height!);
  const places = [y.first, y.last].flatMap((row) =>
    [x.first, x.last].map((column) => plus(times(plus(plane, rowOf(row)), width!), columnOf(column))),
  );
  const some = w.step("And", [rowOf(y.some), columnOf(x.some)], "some");
  return { heights: y.windows, widths: x.windows, places, some };
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

  // A region of the whole image may be a cell longer than the map, by rounding, and one more where Caffe pools.
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
