import type { MixingWay, Mixture } from "./mixing.js";

/**
 * Yun et al., arXiv:1905.04899: a rectangle of the other image's, whose area is its share; its middle is anywhere, and what
 * reaches beyond the image is cut off. Shares of labels are those of the areas that came of it.
 */
export const cutmix: MixingWay = {
  draw(share, size, random) {
    const [row, column] = size.map((side) => Math.floor(random() * side)) as [number, number];
    return cut(share, size, [row, column]);
  },
};

/** With the middle of the rectangle at a place. */
export function cut(
  share: number,
  [height, width]: readonly [height: number, width: number],
  [row, column]: readonly [row: number, column: number],
): Mixture {
  const half = 0.5 * Math.sqrt(1 - share);
  const [down, across] = [Math.floor(half * height), Math.floor(half * width)];
  const [top, bottom] = [Math.max(row - down, 0), Math.min(row + down, height)];
  const [left, right] = [Math.max(column - across, 0), Math.min(column + across, width)];
  return {
    share: 1 - ((bottom - top) * (right - left)) / (height * width),
    mix(image, other) {
      for (let plane = 0; plane < image.length; plane += height * width) {
        for (let y = top; y < bottom; y++) {
          const start = plane + y * width;
          image.set(other.subarray(start + left, start + right), start + left);
        }
      }
    },
  };
}
