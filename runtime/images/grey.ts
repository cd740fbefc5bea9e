/** Colour images in grey, for networks of one channel. */
import type { Image } from "./image.js";

/** ITU-R 601-2 luma of a pixel, to the level as Pillow's `convert("L")`: in fixed point, 16 bits behind the point. */
export function lumaOf(data: Uint8Array, at: number): number {
  return (data[at]! * 19595 + data[at + 1]! * 38470 + data[at + 2]! * 7471 + 0x8000) >> 16;
}

/**
 * The image in grey.
 *
 * @returns three equal channels, so that whatever scales and cuts colour images does the same with it
 */
export function toGrey({ width, height, data }: Image): Image {
  const grey = new Uint8Array(data.length);
  for (let i = 0; i < grey.length; i += 3) {
    const luma = lumaOf(data, i);
    grey[i] = luma;
    grey[i + 1] = luma;
    grey[i + 2] = luma;
  }
  return { width, height, data: grey };
}
