/**
 * Masks of objects as a detector learns them: seen through what their image was put through, on a square of cells round each
 * object. A cell is a pixel where the object fits, and as much larger as it has to be where not: so masks take room by how
 * many objects there are, and not by the size of the image.
 */
import { MOST_CELLS } from "../../../compiler/training/contract.js";
import { frameSize, scaleOf, type Frame } from "../../images/transforms/frame.js";
import { boxOf, eachRun, type Mask } from "../masks/mask.js";

/** Numbers of cells are multiples of it, so that batches have few of them. */
const MULTIPLE = 32;

/** An object's pixels in the source, and where they are seen. */
export interface SeenMask {
  /** 1 where a pixel is the object's, of the rows and columns from `top` and `left` on. */
  readonly bits: Uint8Array;
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  /** Of each column and row of what is seen, that of the source; -1 where there is none. */
  readonly columns: Int32Array;
  readonly rows: Int32Array;
  /** First column and row in which some of it is seen, and those behind the last. */
  readonly across: readonly [from: number, to: number];
  readonly down: readonly [from: number, to: number];
}

/** How the frame shows the pixels of its source: each is that in which its middle is, as Pillow and Detectron2 scale masks. */
export function placesIn(frame: Frame): { readonly columns: Int32Array; readonly rows: Int32Array } {
  const [height, width] = frameSize(frame);
  const along = (axis: 0 | 1, length: number): Int32Array => {
    const places = Int32Array.from({ length }, (_, place) => place);
    for (const round of frame.toReversed()) {
      const { cut, scaled, window, mirrored, interpolation } = round;
      const [first, size, from, to, start] =
        axis === 0
          ? [window.top, window.height, cut.height, scaled[0], cut.top]
          : [window.left, window.width, cut.width, scaled[1], cut.left];
      const isAsked = typeof interpolation !== "string" && interpolation.sampledBy !== "ratio";
      const scale = scaleOf(round)[axis];
      places.forEach((place, index) => {
        if (place < 0) return;
        const at = first + (mirrored && axis === 1 ? size - 1 - place : place);
        const source = Math.floor(isAsked ? (at + 0.5) / scale : ((at + 0.5) * from) / to);
        places[index] = at < 0 || at >= to ? -1 : start + Math.min(from - 1, source);
      });
    }
    return places;
  };
  return { columns: along(1, width), rows: along(0, height) };
}

/** @param places of the frame that the mask's image is seen in */
export function seenMask(mask: Mask, { columns, rows }: ReturnType<typeof placesIn>): SeenMask {
  const [left, top, width, height] = boxOf(mask);
  const bits = new Uint8Array(width * height);
  eachRun(mask, (column, row, length) => {
    for (let y = row - top; y < row - top + length; y++) bits[y * width + column - left] = 1;
  });
  const across = rangeOf(columns, left, width);
  const down = rangeOf(rows, top, height);
  return { bits, left, top, width, height, columns, rows, across, down };
}

function rangeOf(places: Int32Array, first: number, length: number): readonly [number, number] {
  const isOwn = (place: number): boolean => place >= first && place < first + length;
  const from = places.findIndex(isOwn);
  return from < 0 ? [0, 0] : [from, places.findLastIndex(isOwn) + 1];
}

/** How many cells a side takes so that all of these fit, with one more on each side, in which nothing of them is. */
export function cellsFor(masks: readonly SeenMask[]): number {
  const sides = masks.flatMap(({ across, down }) => [across[1] - across[0], down[1] - down[0]]);
  const needed = Math.max(0, ...sides) + 2;
  return Math.min(MOST_CELLS, MULTIPLE * Math.ceil(needed / MULTIPLE));
}

/**
 * How much of each of count x count cells is of the object, row by row, and the corners of all of them in pixels. Beyond the
 * border of the image it goes on as it is there.
 */
export function cellsOf(
  mask: SeenMask,
  count: number,
  values: Float32Array,
): readonly [x1: number, y1: number, x2: number, y2: number] {
  const [x, y] = [sideOf(mask.across, count), sideOf(mask.down, count)];
  const columns = sharesOf(mask.columns, mask.left, mask.width, x, count);
  const rows = sharesOf(mask.rows, mask.top, mask.height, y, count);
  const line = new Float64Array(mask.width);
  rows.forEach((own, row) => {
    if (own.length === 0) return;
    line.fill(0);
    for (const { place, share } of own) {
      for (let at = 0; at < mask.width; at++) line[at]! += share * mask.bits[place * mask.width + at]!;
    }
    columns.forEach((each, column) => {
      let sum = 0;
      for (const { place, share } of each) sum += share * line[place]!;
      values[row * count + column] = sum;
    });
  });
  return [x.start, y.start, x.start + count * x.cell, y.start + count * y.cell];
}

interface Side {
  readonly start: number;
  /** Pixels of a cell. */
  readonly cell: number;
}

function sideOf([from, to]: readonly [number, number], count: number): Side {
  const cell = Math.max(1, (to - from) / (count - 2));
  return { start: from - cell, cell };
}

interface Share {
  /** Row or column of the mask's bits. */
  readonly place: number;
  readonly share: number;
}

/** What each cell is made of, along a side. */
function sharesOf(
  places: Int32Array,
  first: number,
  length: number,
  { start, cell }: Side,
  count: number,
): readonly (readonly Share[])[] {
  return Array.from({ length: count }, (_, index) => {
    const [from, to] = [start + index * cell, start + (index + 1) * cell];
    const found: Share[] = [];
    for (let pixel = Math.floor(from); pixel < to; pixel++) {
      const place = places[Math.min(places.length - 1, Math.max(0, pixel))]! - first;
      const share = (Math.min(to, pixel + 1) - Math.max(from, pixel)) / cell;
      if (place >= 0 && place < length && share > 0) found.push({ place, share });
    }
    return found;
  });
}
