/** Boxes that move with the frame of their image: scaled, cut and mirrored as its pixels are. */
import type { Box } from "../box.js";
import { frameSize, scaleOf, type Frame } from "./frame.js";
import type { Size } from "../image.js";

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

/** What a detector is told of an image beside its pixels: a row of `image_info`. */
export type ImageInfo = readonly [
  height: number,
  width: number,
  originalHeight: number,
  originalWidth: number,
  scaleDown: number,
  scaleAcross: number,
];

/**
 * The size of what the frame shows, the size that this has in the source's own pixels, and by what it was scaled: as boxes
 * are, whatever the sizes were rounded to. Of a part that was cut out, that part is the original.
 */
export function infoOf(frame: Frame, source: Size): ImageInfo {
  let [original, before, down, across]: [Size, Size, number, number] = [source, source, 1, 1];
  const show = (height: number, width: number, all: Size): void => {
    if (height !== all[0] || width !== all[1]) original = [height / down, width / across];
  };
  for (const round of frame) {
    const { cut, scaled, window } = round;
    show(cut.height, cut.width, before);
    const [y, x] = scaleOf(round);
    [down, across] = [down * y, across * x];
    show(window.height, window.width, scaled);
    before = [window.height, window.width];
  }
  return [...frameSize(frame), ...original, down, across];
}

function throughRound(round: Frame[number], box: Box): Box | undefined {
  const { cut, window, mirrored } = round;
  const [y, x] = scaleOf(round);
  const across = interval(box[0], box[2], cut.left, cut.width, x, window.left, window.width);
  const down = interval(box[1], box[3], cut.top, cut.height, y, window.top, window.height);
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
