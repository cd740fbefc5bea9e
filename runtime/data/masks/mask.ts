/**
 * Which pixels of an image are an object's, as COCO keeps it: the lengths of runs of pixels that are not and that are,
 * column after column from the left, each from its top. A mask takes the room of its outline and not of its image.
 */

/** A mask of an image of this size. */
export interface Mask {
  readonly width: number;
  readonly height: number;
  /** Lengths, the first of pixels that are not the object's (0 where the first pixel is); their sum is width x height. */
  readonly runs: Uint32Array;
}

/** Gathers runs; those that follow one another and are of one kind become one. */
export class Runs {
  readonly #lengths: number[] = [0];

  /** @param inside whether these pixels are the object's */
  add(inside: boolean, length: number): void {
    if (length === 0) return;
    // The first run is of pixels that are not.
    const isLast = (this.#lengths.length % 2 === 0) === inside;
    if (isLast) this.#lengths[this.#lengths.length - 1]! += length;
    else this.#lengths.push(length);
  }

  finish(): Uint32Array {
    return Uint32Array.from(this.#lengths);
  }
}

/** Pixels of the object. */
export function areaOf({ runs }: Mask): number {
  let area = 0;
  for (let i = 1; i < runs.length; i += 2) area += runs[i]!;
  return area;
}

/** Each run of pixels of the object, as far as it is in one column. */
export function eachRun({ height, runs }: Mask, visit: (column: number, top: number, length: number) => void): void {
  let at = 0;
  runs.forEach((length, index) => {
    const end = at + length;
    if (index % 2 === 1) {
      while (at < end) {
        const [column, top] = [Math.floor(at / height), at % height];
        const here = Math.min(height - top, end - at);
        visit(column, top, here);
        at += here;
      }
    }
    at = end;
  });
}

/** The smallest box round the object: left, top, width, height; zeros where it has no pixel. */
export function boxOf({ height, runs }: Mask): readonly [number, number, number, number] {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  let at = 0;
  runs.forEach((length, index) => {
    const [start, end] = [at, at + length - 1];
    at += length;
    if (index % 2 === 0 || length === 0) return;
    const [first, last] = [Math.floor(start / height), Math.floor(end / height)];
    // One that goes on in the next column is at the bottom of the one and at the top of the other.
    const [above, below] = first === last ? [start % height, end % height] : [0, height - 1];
    [left, right] = [Math.min(left, first), Math.max(right, last + 1)];
    [top, bottom] = [Math.min(top, above), Math.max(bottom, below + 1)];
  });
  return left === Infinity ? [0, 0, 0, 0] : [left, top, right - left, bottom - top];
}
