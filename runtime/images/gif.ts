/**
 * Colours under transparency. The decoder clears them, and people's training programs, which know nothing of
 * transparency, see them; so the file is told to have none.
 */

import type { Image } from "./image.js";
import type { Window } from "./resample.js";

export interface OpaqueGif {
  readonly bytes: Uint8Array;
  /** Where the first frame lies on the screen; it may reach beyond it. */
  readonly frame?: Window;
  /** What Pillow shows where the first frame does not reach: the transparent colour, or else the first. */
  readonly ground: readonly [red: number, green: number, blue: number];
}

const [EXTENSION, FRAME, GRAPHIC_CONTROL] = [0x21, 0x2c, 0xf9];

/** A GIF whose first frame has no transparent colour; as it is where its blocks can't be followed to that frame. */
export function opaqueGif(bytes: Uint8Array): OpaqueGif {
  const out = Uint8Array.from(bytes);
  const view = new DataView(out.buffer);
  const globalColours = paletteSize(out[10]);
  let palette = globalColours > 0 ? 13 : undefined;
  let transparent = 0;
  let frame: Window | undefined;
  for (let at = 13 + globalColours; at + 10 < out.length && !frame;) {
    if (out[at] === FRAME) {
      const [left, top, width, height] = [1, 3, 5, 7].map((field) => view.getUint16(at + field, true));
      frame = { left: left!, top: top!, width: width!, height: height! };
      if (paletteSize(out[at + 9]) > 0) palette = at + 10;
    } else if (out[at] === EXTENSION) {
      const block = at + 2;
      if (out[at + 1] === GRAPHIC_CONTROL && out[block]! >= 4) {
        if ((out[block + 1]! & 1) === 1) transparent = out[block + 4]!;
        out[block + 1] = out[block + 1]! & ~1;
      }
      at = behindBlocks(out, block);
    } else at++;
  }
  const channel = (which: number) =>
    palette === undefined ? transparent : (out[palette + transparent * 3 + which] ?? 0);
  return { bytes: out, ground: [channel(0), channel(1), channel(2)], ...(frame && { frame }) };
}

/** The ground's colour wherever the frame does not reach, in the image itself. */
export function onGround(image: Image, { frame, ground }: OpaqueGif): Image {
  const { width, height, data } = image;
  if (!frame) return image;
  const right = frame.left + frame.width;
  for (let y = 0; y < height; y++) {
    const isBeside = y < frame.top || y >= frame.top + frame.height;
    for (let x = 0; x < width; x++) {
      if (isBeside || x < frame.left || x >= right) data.set(ground, (y * width + x) * 3);
      else x = right - 1;
    }
  }
  return image;
}

/** Bytes of the colours that a byte of flags announces. */
function paletteSize(flags = 0): number {
  return (flags & 0x80) === 0 ? 0 : 3 * 2 ** ((flags & 7) + 1);
}

/** Blocks begin with their length; one of length 0 ends them. */
function behindBlocks(bytes: Uint8Array, start: number): number {
  let at = start;
  while (at < bytes.length && bytes[at] !== 0) at += 1 + bytes[at]!;
  return at + 1;
}
