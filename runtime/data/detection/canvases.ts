/** The sizes of tensors that a detector is trained at: few, so that graphs of fixed sizes can be made for each. */
import type { Size } from "../../images/image.js";

/** How many batches need a size. */
export interface Need {
  readonly size: Size;
  readonly batches: number;
}

/** Height and width that hold all of these; multiples of a length. */
export function hullOf(sizes: readonly Size[], multiple = 1): Size {
  const side = (at: 0 | 1) => Math.ceil(Math.max(...sizes.map((size) => size[at])) / multiple) * multiple;
  return [side(0), side(1)];
}

export function areaOf([height, width]: Size): number {
  return height * width;
}

export function holds(outer: Size, inner: Size): boolean {
  return outer[0] >= inner[0] && outer[1] >= inner[1];
}

/** The smallest that holds a size. */
export function canvasFor(canvases: readonly Size[], size: Size): Size | undefined {
  return canvases
    .filter((canvas) => holds(canvas, size))
    .reduce<Size | undefined>((best, each) => (best && areaOf(best) <= areaOf(each) ? best : each), undefined);
}

/** Sizes that are compared pair by pair; of more, sides are rounded up further first. */
const MOST_COMPARED = 256;

/**
 * At most `most` sizes such that each that is needed fits in one: sides are rounded up to multiples, and as long as there
 * are more, the two whose common hull adds least to the area of all batches are replaced by it.
 *
 * @returns by area, the smallest first
 */
export function chooseCanvases(needs: readonly Need[], multiple: number, most: number): readonly Size[] {
  let left = rounded(needs, multiple);
  for (let coarse = 2 * multiple; left.length > MOST_COMPARED; coarse *= 2) left = rounded(needs, coarse);
  while (left.length > most) {
    const [first, second] = cheapest(left);
    const others = left.filter((each) => each !== first && each !== second);
    const merged = { size: hullOf([first.size, second.size]), batches: first.batches + second.batches };
    left = rounded([...others, merged], multiple);
  }
  return left.map(({ size }) => size);
}

/** Each size once, by area. */
function rounded(needs: readonly Need[], multiple: number): Need[] {
  const found = new Map<string, Need>();
  for (const need of needs) {
    const size = hullOf([need.size], multiple);
    const key = size.join("x");
    found.set(key, { size, batches: need.batches + (found.get(key)?.batches ?? 0) });
  }
  return [...found.values()].sort((a, b) => areaOf(a.size) - areaOf(b.size) || a.size[0] - b.size[0]);
}

function cheapest(all: readonly Need[]): readonly [Need, Need] {
  let best: readonly [Need, Need] = [all[0]!, all[1]!];
  let least = Infinity;
  for (const [at, a] of all.entries()) {
    for (const b of all.slice(at + 1)) {
      const area = Math.max(a.size[0], b.size[0]) * Math.max(a.size[1], b.size[1]);
      const cost = a.batches * (area - areaOf(a.size)) + b.batches * (area - areaOf(b.size));
      if (cost < least) [best, least] = [[a, b], cost];
    }
  }
  return best;
}
