/** Which pixels show which object, when objects are put before one another. */
import type { Box } from "../../../objects.js";
import { Runs } from "../../../masks/mask.js";
import { writeMask, type MaskText } from "../../../masks/text.js";
import type { Stencil } from "./stencil.js";

/** A pixel shows an object that covers half of it. */
const HALF = 0.5;
/** Of every object that much stays visible, so that one can tell what it is. */
const LEAST_VISIBLE = 0.5;
const LEAST_PIXELS = 40;
const NOBODY = -1;

export class VisibleParts {
  readonly #width: number;
  readonly #height: number;
  readonly #owners: Int32Array;
  /** Pixels of each object, whether they are visible or not; and those that are. */
  readonly #whole: number[] = [];
  readonly #visible: number[] = [];

  constructor(width: number, height: number) {
    this.#width = width;
    this.#height = height;
    this.#owners = new Int32Array(width * height).fill(NOBODY);
  }

  /**
   * Puts an object of one or more shapes before all others, unless too little of it or of another would be visible.
   *
   * @returns indices of the objects that it covers in part; undefined where it was not put
   */
  tryPlace(shapes: readonly Stencil[]): number[] | undefined {
    const pixels = new Set<number>();
    let whole = 0;
    for (const { left, top, side, coverage } of shapes) {
      coverage.forEach((cover, i) => {
        if (cover < HALF) return;
        whole++;
        const [x, y] = [left + (i % side), top + Math.floor(i / side)];
        if (x >= 0 && y >= 0 && x < this.#width && y < this.#height) pixels.add(y * this.#width + x);
      });
    }
    if (pixels.size < LEAST_PIXELS || pixels.size < whole * LEAST_VISIBLE) return undefined;

    const lost = new Map<number, number>();
    for (const pixel of pixels) {
      const owner = this.#owners[pixel]!;
      if (owner !== NOBODY) lost.set(owner, (lost.get(owner) ?? 0) + 1);
    }
    for (const [owner, count] of lost) {
      const left = this.#visible[owner]! - count;
      if (left < LEAST_PIXELS || left < this.#whole[owner]! * LEAST_VISIBLE) return undefined;
    }
    for (const [owner, count] of lost) this.#visible[owner]! -= count;
    for (const pixel of pixels) this.#owners[pixel] = this.#whole.length;
    this.#whole.push(whole);
    this.#visible.push(pixels.size);
    return [...lost.keys()];
  }

  /** The visible pixels of each object. */
  masks(): MaskText[] {
    const all = this.#whole.map(() => new Runs());
    const ends = new Float64Array(all.length);
    for (let place = 0; place < this.#owners.length; place++) {
      const [x, y] = [Math.floor(place / this.#height), place % this.#height];
      const owner = this.#owners[y * this.#width + x]!;
      if (owner === NOBODY) continue;
      all[owner]!.add(false, place - ends[owner]!);
      all[owner]!.add(true, 1);
      ends[owner] = place + 1;
    }
    return all.map((runs, owner) => {
      runs.add(false, this.#owners.length - ends[owner]!);
      return writeMask({ width: this.#width, height: this.#height, runs: runs.finish() });
    });
  }

  /** Of each object the box round its visible pixels, and their number. */
  measure(): { readonly box: Box; readonly area: number }[] {
    const bounds = this.#whole.map(() => ({ x1: Infinity, y1: Infinity, x2: -1, y2: -1 }));
    this.#owners.forEach((owner, i) => {
      if (owner === NOBODY) return;
      const bound = bounds[owner]!;
      const [x, y] = [i % this.#width, Math.floor(i / this.#width)];
      bound.x1 = Math.min(bound.x1, x);
      bound.y1 = Math.min(bound.y1, y);
      bound.x2 = Math.max(bound.x2, x);
      bound.y2 = Math.max(bound.y2, y);
    });
    return bounds.map(({ x1, y1, x2, y2 }, index) => ({
      box: [x1, y1, x2 - x1 + 1, y2 - y1 + 1],
      area: this.#visible[index]!,
    }));
  }
}
