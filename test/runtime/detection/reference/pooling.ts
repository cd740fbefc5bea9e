/** Pooling of one region from one channel, by Caffe's rule and by Detectron2's. */
import type { Box } from "./boxes.js";

/** A channel [height, width]. */
export interface Channel {
  readonly height: number;
  readonly width: number;
  readonly values: ArrayLike<number>;
}

type Size = readonly [rows: number, columns: number];

/** Caffe's roi_pooling_layer.cpp: [rows * columns]. Bins overlap, and an empty one gives 0. */
export function roiPool(map: Channel, box: Box, [rows, columns]: Size, factor: number): number[] {
  const [x1, y1, x2, y2] = box.map((side) => awayFromZero(side * factor)) as [number, number, number, number];
  const across = bins(x1, x2, columns, map.width);
  return bins(y1, y2, rows, map.height).flatMap((ys) =>
    across.map((xs) => {
      const values = ys.flatMap((y) => xs.map((x) => map.values[y * map.width + x]!));
      return values.length === 0 ? 0 : Math.max(...values);
    }),
  );
}

/** Of each bin the places of a row or column, from the floor of its start to the ceiling of its end. */
function bins(first: number, last: number, count: number, length: number): number[][] {
  const size = Math.max(last - first + 1, 1) / count;
  return Array.from({ length: count }, (_, bin) => {
    const start = Math.max(0, Math.min(length, first + Math.floor(bin * size)));
    const end = Math.max(0, Math.min(length, first + Math.ceil((bin + 1) * size)));
    return Array.from({ length: Math.max(0, end - start) }, (_, i) => start + i);
  });
}

/** C's `round`. */
function awayFromZero(value: number): number {
  return Math.sign(value) * Math.floor(Math.abs(value) + 0.5);
}

export interface Align {
  readonly factor: number;
  /** Samples across a bin; 0: as many as it has cells, rounded up. */
  readonly sampling: number;
  /** Half a pixel before where it is said, as Detectron2 has it. Without it a region has a cell at least. */
  readonly aligned: boolean;
}

/** torchvision's roi_align_kernel.cpp: [rows * columns]. */
export function roiAlign(
  map: Channel,
  box: Box,
  [rows, columns]: Size,
  { factor, sampling, aligned }: Align,
): number[] {
  const [x1, y1, x2, y2] = box.map((side) => side * factor - (aligned ? 0.5 : 0)) as [number, number, number, number];
  const across = samples(x1, x2, columns, sampling, aligned);
  return samples(y1, y2, rows, sampling, aligned).flatMap((ys) =>
    across.map((xs) => {
      const values = ys.flatMap((y) => xs.map((x) => bilinear(map, y, x)));
      return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
    }),
  );
}

/** Of each bin the places that are sampled along one side. */
function samples(first: number, last: number, count: number, sampling: number, aligned: boolean): number[][] {
  const length = aligned ? last - first : Math.max(last - first, 1);
  const bin = length / count;
  const grid = sampling > 0 ? sampling : Math.ceil(bin);
  return Array.from({ length: count }, (_, i) =>
    Array.from({ length: grid }, (_, k) => first + i * bin + ((k + 0.5) * bin) / grid),
  );
}

/** 0 farther than a cell outside, the border's value nearer. */
function bilinear({ height, width, values }: Channel, y: number, x: number): number {
  if (y < -1 || y > height || x < -1 || x > width) return 0;
  const [top, low, fromTop] = between(y, height);
  const [left, right, fromLeft] = between(x, width);
  const at = (row: number, column: number) => values[row * width + column]!;
  return (
    (1 - fromTop) * ((1 - fromLeft) * at(top, left) + fromLeft * at(top, right)) +
    fromTop * ((1 - fromLeft) * at(low, left) + fromLeft * at(low, right))
  );
}

function between(place: number, length: number): [before: number, after: number, part: number] {
  const inside = Math.max(0, place);
  const before = Math.floor(inside);
  return before >= length - 1 ? [length - 1, length - 1, 0] : [before, before + 1, inside - before];
}
