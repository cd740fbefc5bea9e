/** What two detectors found in an image, compared. */
import { expect } from "vitest";

export interface Found {
  readonly label: number;
  readonly score: number;
  /** x1, y1, x2, y2 */
  readonly box: readonly number[];
}

/** @param boxes four for each */
export function listOf(labels: ArrayLike<unknown>, scores: ArrayLike<number>, boxes: ArrayLike<number>): Found[] {
  return Array.from(labels, (label, i) => ({
    label: Number(label),
    score: scores[i]!,
    box: [0, 1, 2, 3].map((k) => boxes[4 * i + k]!),
  }));
}

/**
 * Each of theirs has one of ours, boxes within 0.05 pixels and scores within 1e-3, and there are no others; ours are by
 * score. Scores nearer than the tolerance may have changed places.
 *
 * @returns for each of theirs, which of ours
 */
export function expectSame(ours: readonly Found[], theirs: readonly Found[]): number[] {
  expect(ours).toHaveLength(theirs.length);
  expect(ours.map(({ score }) => score)).toEqual(ours.map(({ score }) => score).toSorted((a, b) => b - a));
  const left = new Set(ours.keys());
  return theirs.map((their) => {
    const away = (row: number): number => difference(ours[row]!.box, their.box);
    const [nearest] = [...left]
      .filter((row) => ours[row]!.label === their.label && Math.abs(ours[row]!.score - their.score) < 1e-3)
      .toSorted((a, b) => away(a) - away(b));
    expect(nearest, `a box like ${JSON.stringify(their)}`).toBeDefined();
    expect(away(nearest!)).toBeLessThan(0.05);
    left.delete(nearest!);
    return nearest!;
  });
}

function difference(a: readonly number[], b: readonly number[]): number {
  return Math.max(...a.map((value, i) => Math.abs(value - b[i]!)));
}
