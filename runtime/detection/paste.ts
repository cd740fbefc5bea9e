/**
 * A mask in its image. Detectors give probabilities on a grid over each box; here they are put where the box is, as
 * Detectron and torchvision do (roi_heads.py, `paste_masks_in_image`): the grid with a border of zeros, the box that much
 * larger, its corners cut to whole pixels both of which it contains, and between the grid's places linear interpolation.
 */
import { Runs, type Mask } from "../data/masks/mask.js";
import type { Image } from "../images/image.js";

/** Probabilities on a grid over a box, row after row. */
export interface MaskGrid {
  readonly width: number;
  readonly height: number;
  readonly values: Float32Array;
}

/** Corners of a box as the detector gives them. */
export type Corners = readonly [x1: number, y1: number, x2: number, y2: number];

/** A part of an image, row after row; outside of it there are zeros. */
export interface PastedMask extends MaskGrid {
  readonly x: number;
  readonly y: number;
}

/** How likely each pixel is of the object. */
export function pasteMask(grid: MaskGrid, box: Corners, image: Pick<Image, "width" | "height">): PastedMask {
  const [x, y] = placesOf(grid, box, image);
  const values = new Float32Array(x.count * y.count);
  eachColumn(grid, x, y, (column, probabilities) => {
    probabilities.forEach((value, row) => (values[row * x.count + column] = value));
  });
  return { x: x.first, y: y.first, width: x.count, height: y.count, values };
}

/** The pixels that are likelier than the threshold of the object. */
export function maskInImage(
  grid: MaskGrid,
  box: Corners,
  image: Pick<Image, "width" | "height">,
  threshold = 0.5,
): Mask {
  const [x, y] = placesOf(grid, box, image);
  const runs = new Runs();
  const below = image.height - y.first - y.count;
  runs.add(false, x.first * image.height);
  eachColumn(grid, x, y, (_, probabilities) => {
    runs.add(false, y.first);
    for (let row = 0; row < probabilities.length;) {
      const isInside = probabilities[row]! > threshold;
      const start = row++;
      while (row < probabilities.length && probabilities[row]! > threshold === isInside) row++;
      runs.add(isInside, row - start);
    }
    runs.add(false, below);
  });
  runs.add(false, (image.width - x.first - x.count) * image.height);
  return { width: image.width, height: image.height, runs: runs.finish() };
}

/** Along one axis: the pixels in the image, and between which places of the bordered grid each is. */
interface Places {
  readonly first: number;
  readonly count: number;
  readonly from: Int32Array;
  readonly to: Int32Array;
  /** How far from the one to the other, 0 to 1. */
  readonly share: Float32Array;
}

function placesOf(
  grid: MaskGrid,
  [x1, y1, x2, y2]: Corners,
  image: Pick<Image, "width" | "height">,
): readonly [x: Places, y: Places] {
  return [placesAlong(x1, x2, grid.width, image.width), placesAlong(y1, y2, grid.height, image.height)];
}

/** In single precision, as it was where the weights were trained: a corner that is nearly whole is cut there. */
function placesAlong(low: number, high: number, places: number, length: number): Places {
  const f = Math.fround;
  const half = f(f(f(high - low) * 0.5) * f((places + 2) / places));
  const middle = f(f(high + low) * 0.5);
  const [start, end] = [Math.trunc(f(middle - half)), Math.trunc(f(middle + half))];
  const size = Math.max(1, end - start + 1);
  const first = Math.min(length, Math.max(0, start));
  const count = Math.max(0, Math.min(length, end + 1) - first);
  const scale = f((places + 2) / size);
  const [from, to, share] = [new Int32Array(count), new Int32Array(count), new Float32Array(count)];
  for (let i = 0; i < count; i++) {
    const at = Math.max(0, scale * (first + i - start + 0.5) - 0.5);
    from[i] = Math.min(Math.floor(at), places + 1);
    to[i] = Math.min(from[i]! + 1, places + 1);
    share[i] = at - from[i]!;
  }
  return { first, count, from, to, share };
}

/** The same array each time. */
function eachColumn(
  { width, height, values }: MaskGrid,
  x: Places,
  y: Places,
  visit: (column: number, probabilities: Float32Array) => void,
): void {
  // With its border.
  const along = new Float32Array(height + 2);
  const probabilities = new Float32Array(y.count);
  const valueAt = (row: number, column: number): number =>
    column < 1 || column > width ? 0 : values[(row - 1) * width + column - 1]!;
  const { count, from: above, to: beneath, share: shares } = y;
  for (let column = 0; column < x.count; column++) {
    const [from, to, share] = [x.from[column]!, x.to[column]!, x.share[column]!];
    for (let row = 1; row <= height; row++) {
      along[row] = valueAt(row, from) * (1 - share) + valueAt(row, to) * share;
    }
    for (let row = 0; row < count; row++) {
      const part = shares[row]!;
      probabilities[row] = along[above[row]!]! * (1 - part) + along[beneath[row]!]! * part;
    }
    visit(column, probabilities);
  }
}
