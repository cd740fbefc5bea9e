/** Where labels go: at their boxes, in the image, and not on one another. */

/** In pixels. */
export interface Area {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Labels that have been placed, found again by where they are. */
export class LabelPlaces {
  readonly #width: number;
  readonly #height: number;
  readonly #taken: Area[] = [];

  constructor(width: number, height: number) {
    this.#width = width;
    this.#height = height;
  }

  /**
   * Takes the first free place of: above the box at its left, inside at the top, below, inside at the bottom, then the
   * same at its right; each pushed into the image. Undefined where none is free.
   */
  take(box: Area, width: number, height: number): Area | undefined {
    const right = box.x + box.width - width;
    const bottom = box.y + box.height;
    for (const x of [box.x, right]) {
      for (const y of [box.y - height, box.y, bottom, bottom - height]) {
        const area = { x: within(x, this.#width - width), y, width, height };
        if (y < 0 || y + height > this.#height || this.#taken.some((other) => doOverlap(area, other))) continue;
        this.#taken.push(area);
        return area;
      }
    }
    return undefined;
  }
}

function within(value: number, high: number): number {
  return Math.max(0, Math.min(high, value));
}

function doOverlap(a: Area, b: Area): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}
