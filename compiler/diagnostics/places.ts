import type { Span } from "../../grammar/ast.js";

interface Interval {
  readonly start: number;
  end: number;
}

/** Places in texts, for asking whether one is near: by file, disjoint, in order. */
export class Places {
  readonly #files = new Map<string, Interval[]>();

  add({ file, start, end }: Span): void {
    const places = this.#files.get(file);
    if (!places) {
      this.#files.set(file, [{ start, end }]);
      return;
    }
    const at = firstEndingAt(places, start);
    let last = at;
    let [from, to] = [start, end];
    for (let place = places[last]; place && place.start <= end; place = places[++last]) {
      [from, to] = [Math.min(from, place.start), Math.max(to, place.end)];
    }
    places.splice(at, last - at, { start: from, end: to });
  }

  /** Whether one of them overlaps the span, touches it, or begins up to `slack` characters behind it. */
  touches({ file, start, end }: Span, slack: number): boolean {
    const places = this.#files.get(file);
    const next = places?.[firstEndingAt(places, start)];
    return next !== undefined && next.start <= end + slack;
  }
}

/** Index of the first that ends at the offset or behind it. */
function firstEndingAt(places: readonly Interval[], offset: number): number {
  let [low, high] = [0, places.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (places[middle]!.end < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}
