/**
 * Which boxes are of which object, and which of them are drawn, again: in float64 and plain loops, one image at a time, as the
 * papers' own code goes about it.
 */
import type { Attributes } from "../../../../compiler/ir/types.js";

export interface Matched {
  readonly labels: number[];
  readonly objects: number[];
}

/** Rows of overlaps, one a box, each with one for every object; `may` says which boxes count. */
export function matched(
  overlaps: readonly (readonly number[])[],
  present: readonly number[],
  attributes: Attributes,
  may: readonly number[] = overlaps.map(() => 1),
): Matched {
  const { positive, negative, lowest = 0, best } = attributes as Readonly<Record<string, number>>;
  const real = [...present.keys()].filter((object) => present[object]! > 0.5);
  const boxes = [...overlaps.keys()].filter((box) => may[box]! > 0.5);
  const labels = overlaps.map(() => -1);
  const objects = overlaps.map(() => 0);
  for (const box of boxes) {
    let most = -1;
    for (const object of real) {
      if (overlaps[box]![object]! <= most) continue;
      most = overlaps[box]![object]!;
      objects[box] = object;
    }
    if (most >= positive!) labels[box] = 1;
    else if (most < negative! && (lowest === 0 || most >= lowest)) labels[box] = 0;
  }
  if (attributes["best"] === undefined || attributes["best"] === "none") return { labels, objects };
  for (const object of real) {
    const most = Math.max(0, ...boxes.map((box) => overlaps[box]![object]!));
    if (most === 0) continue;
    const reached = boxes.filter((box) => overlaps[box]![object] === most);
    if ((best as unknown) === "positive") {
      for (const box of reached) labels[box] = 1;
    } else {
      labels[reached[0]!] = 1;
      objects[reached[0]!] = object;
    }
  }
  return { labels, objects };
}

/** Labels with -1 for all that are not drawn: those with the smallest numbers are. */
export function drawn(labels: readonly number[], numbers: readonly number[], count: number, share: number): number[] {
  const queue = (label: number): number[] =>
    [...labels.keys()].filter((box) => labels[box] === label).sort((a, b) => numbers[a]! - numbers[b]! || a - b);
  const objects = queue(1).slice(0, Math.floor(count * share));
  const taken = new Set([...objects, ...queue(0).slice(0, count - objects.length)]);
  return labels.map((label, box) => (taken.has(box) ? label : -1));
}

/** Which rows are taken of an image, and their labels: those that were drawn, others to fill up, at last the last. */
export function rowsTaken(labels: readonly number[], count: number): { rows: number[]; labels: number[] } {
  const all = [...labels.keys()];
  const order = [...all.filter((row) => labels[row] !== -1), ...all.filter((row) => labels[row] === -1)];
  const rows = Array.from({ length: count }, (_, place) => order[place] ?? labels.length - 1);
  return { rows, labels: rows.map((row, place) => (place < order.length ? labels[row]! : -1)) };
}
