/** Boxes with scores: order and suppression. */
import { iou, type Box, type One } from "./boxes.js";

export interface Scored {
  readonly box: Box;
  readonly score: number;
}

export interface Detection extends Scored {
  /** Without the background. */
  readonly label: number;
}

/** Best first; of equal scores the earlier. */
export function ranked<T extends Scored>(boxes: readonly T[]): T[] {
  return boxes.toSorted((a, b) => b.score - a.score);
}

/** Keeps the best box, drops what overlaps it by more than the threshold, and so on; best first. */
export function suppress<T extends Scored>(boxes: readonly T[], threshold: number, one: One): T[] {
  const kept: T[] = [];
  for (const candidate of ranked(boxes)) {
    if (kept.every(({ box }) => !(iou(box, candidate.box, one) > threshold))) kept.push(candidate);
  }
  return kept;
}

export function suppressByLabel(boxes: readonly Detection[], threshold: number, one: One): Detection[] {
  const labels = [...new Set(boxes.map(({ label }) => label))];
  return labels.flatMap((label) =>
    suppress(
      boxes.filter((box) => box.label === label),
      threshold,
      one,
    ),
  );
}
