/** Boxes that move with the frame of their image: scaled, cut and mirrored as its pixels are. */
import type { Box } from "../box.js";
import type { Frame } from "./frame.js";

/** A box, and which of the image's objects it is round. */
export interface PlacedBox {
  readonly box: Box;
  readonly index: number;
}

/** Boxes of the source as they lie in what the frame shows: clipped to it; what is cut away entirely is left out. */
export function boxesIn(frame: Frame, boxes: readonly PlacedBox[]): readonly PlacedBox[] {
  return frame.reduce(
    (so, round) =>
      so.flatMap(({ box, index }) => {
        const moved = throughRound(round, box);
        return moved === undefined ? [] : [{ box: moved, index }];
      }),
    boxes,
  );
}

function throughRound({ cut, scaled, interpolation, window, mirrored }: Frame[number], box: Box): Box | undefined {
  // Where the size is rounded and the scale is what was asked for, pixels and boxes follow the scale.
  const asked = typeof interpolation === "string" ? "ratio" : interpolation.sampledBy;
  const scale = (from: number, to: number) => (asked === "ratio" ? to / from : asked);
  const across = interval(box[0], box[2], cut.left, cut.width, scale(cut.width, scaled[1]), window.left, window.width);
  const down = interval(box[1], box[3], cut.top, cut.height, scale(cut.height, scaled[0]), window.top, window.height);
  if (across === undefined || down === undefined) return undefined;
  const [start, width] = across;
  return [mirrored ? window.width - start - width : start, down[0], width, down[1]];
}

/** One side of a box: cut, scaled, cut again. Undefined where nothing is left. */
function interval(
  start: number,
  length: number,
  cut: number,
  of: number,
  scale: number,
  window: number,
  size: number,
): readonly [start: number, length: number] | undefined {
  const [from, to] = [clip(start - cut, of), clip(start + length - cut, of)].map((at) =>
    clip(at * scale - window, size),
  );
  return to! > from! ? [from!, to! - from!] : undefined;
}

function clip(at: number, end: number): number {
  return Math.min(Math.max(at, 0), end);
}
