/** Pooling of regions in plain loops: Caffe's roi_pooling_layer.cpp and torchvision's roi_align_kernel.cpp. */
import type { Attributes } from "../../../../compiler/ir/types.js";
import { indicesOf, rowsOf, tensor } from "./reference.js";
import type { Tensor } from "./run.js";

type Two = readonly [number, number];
type Four = readonly [number, number, number, number];

const two = (attributes: Attributes, name: string): Two => attributes[name] as unknown as Two;

/** One value of the result for each region, channel and bin: what `bin` makes of the region and the map. */
function everyBin(
  features: Tensor,
  regions: Tensor,
  size: Two,
  bin: (at: (y: number, x: number) => number, box: Four, y: number, x: number) => number,
): Tensor {
  const [, channels, height, width] = features.shape as Four;
  const rows = rowsOf(regions);
  const shape = [rows.length, channels, ...size];
  const data = indicesOf(shape).map(([row, channel, y, x]) => {
    const [image, ...box] = rows[row!]!;
    const plane = (image! * channels + channel!) * height;
    return bin((i, j) => features.data[(plane + i) * width + j]!, box as unknown as Four, y!, x!);
  });
  return tensor(shape, data);
}

/** C's round, half away from zero, of a float32 product. */
const cells = (side: number, scale: number): number => {
  const product = Math.fround(side * Math.fround(scale));
  return Math.sign(product) * Math.floor(Math.abs(product) + 0.5);
};

/** First cell of a bin and the one after its last, along one axis: in float32, which decides some of them in Caffe. */
function poolRange(from: number, to: number, bin: number, bins: number, length: number): Two {
  const size = Math.fround(Math.max(to - from + 1, 1) / bins);
  const inside = (cell: number): number => Math.max(0, Math.min(length, cell));
  return [inside(from + Math.floor(Math.fround(bin * size))), inside(from + Math.ceil(Math.fround((bin + 1) * size)))];
}

export function roiPool(features: Tensor, regions: Tensor, attributes: Attributes): Tensor {
  const [size, scale] = [two(attributes, "size"), two(attributes, "scale")];
  const [height, width] = features.shape.slice(2) as unknown as Two;
  return everyBin(features, regions, size, (at, [x1, y1, x2, y2], y, x) => {
    const rows = poolRange(cells(y1, scale[0]), cells(y2, scale[0]), y, size[0], height);
    const columns = poolRange(cells(x1, scale[1]), cells(x2, scale[1]), x, size[1], width);
    let largest = -Infinity;
    for (let i = rows[0]; i < rows[1]; i += 1) {
      for (let j = columns[0]; j < columns[1]; j += 1) largest = Math.max(largest, at(i, j));
    }
    return largest === -Infinity ? 0 : largest;
  });
}

/** Where a bin is sampled along one axis. */
export function alignPoints(
  from: number,
  to: number,
  scale: number,
  bin: number,
  bins: number,
  how: Attributes,
): number[] {
  const aligned = how["aligned"] === true;
  const start = from * scale - (aligned ? 0.5 : 0);
  const extent = (to - from) * scale;
  const step = (aligned ? extent : Math.max(extent, 1)) / bins;
  const points = (how["sampling"] as number) > 0 ? (how["sampling"] as number) : Math.max(0, Math.ceil(step));
  return Array.from({ length: points }, (_, point) => start + bin * step + ((point + 0.5) * step) / points);
}

/** The two cells round a point, and the share of the second; undefined for a point more than a cell outside. */
function around(point: number, length: number): readonly [number, number, number] | undefined {
  if (point < -1 || point > length) return undefined;
  const inside = Math.max(0, Math.min(length - 1, point));
  const first = Math.min(Math.floor(inside), length - 1);
  return [first, Math.min(first + 1, length - 1), inside - first];
}

export function roiAlign(features: Tensor, regions: Tensor, attributes: Attributes): Tensor {
  const [size, scale] = [two(attributes, "size"), two(attributes, "scale")];
  const [height, width] = features.shape.slice(2) as unknown as Two;
  return everyBin(features, regions, size, (at, [x1, y1, x2, y2], y, x) => {
    const rows = alignPoints(y1, y2, scale[0], y, size[0], attributes);
    const columns = alignPoints(x1, x2, scale[1], x, size[1], attributes);
    let sum = 0;
    for (const row of rows) {
      for (const column of columns) {
        const [vertical, horizontal] = [around(row, height), around(column, width)];
        if (vertical === undefined || horizontal === undefined) continue;
        const [top, bottom, down] = vertical;
        const [left, right, across] = horizontal;
        sum += (1 - down) * ((1 - across) * at(top, left) + across * at(top, right));
        sum += down * ((1 - across) * at(bottom, left) + across * at(bottom, right));
      }
    }
    return sum / Math.max(1, rows.length * columns.length);
  });
}

/** Whether rounding could put a point on the other side of where the map ends, or a bin's number of points up by one. */
export function isDelicate(features: Tensor, regions: Tensor, attributes: Attributes): boolean {
  const [size, scale] = [two(attributes, "size"), two(attributes, "scale")];
  const lengths = features.shape.slice(2);
  return rowsOf(regions).some(([, x1, y1, x2, y2]) =>
    [
      [y1!, y2!],
      [x1!, x2!],
    ].some(([from, to], axis) => {
      const step = ((to! - from!) * scale[axis]!) / size[axis]!;
      const points = Array.from({ length: size[axis]! }, (_, bin) =>
        alignPoints(from!, to!, scale[axis]!, bin, size[axis]!, attributes),
      ).flat();
      const near = (a: number, b: number): boolean => Math.abs(a - b) < 1e-4;
      const counted = attributes["sampling"] === 0 && near(step, Math.round(step));
      return counted || points.some((point) => near(point, -1) || near(point, lengths[axis]!));
    }),
  );
}
