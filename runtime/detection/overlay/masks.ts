/** Masks on an image: their class's colour over the object, and round it a line, which stays where masks overlap. */
import { eachRun } from "../../data/masks/mask.js";
import { readMask, type MaskText } from "../../data/masks/text.js";
import type { Image } from "../../images/image.js";
import { classColour } from "./colours.js";

/** How much of a pixel inside of the object, and on its edge, is the colour. */
const [INSIDE, EDGE] = [0.45, 0.9];

export interface Painted {
  readonly mask: MaskText;
  /** Index of the class, from 0. */
  readonly class: number;
}

/**
 * A copy of the image with the masks on it, the first below.
 *
 * @throws {DataError} where one is no mask
 * @throws {RangeError} where one is of another size than the image
 */
export function paintMasks(image: Image, masks: readonly Painted[]): Image {
  const { width, height } = image;
  const data = Uint8Array.from(image.data);
  const inside = new Uint8Array(width * height);
  for (const { mask: text, class: index } of masks) {
    const mask = readMask(text);
    if (mask.width !== width || mask.height !== height) {
      throw new RangeError(`a mask of ${mask.width} x ${mask.height} does not go on an image of ${width} x ${height}`);
    }
    inside.fill(0);
    eachRun(mask, (column, top, length) => {
      for (let row = top; row < top + length; row++) inside[row * width + column] = 1;
    });
    const colour = [1, 3, 5].map((at) => parseInt(classColour(index).slice(at, at + 2), 16));
    eachRun(mask, (column, top, length) => {
      for (let row = top; row < top + length; row++) {
        const share = isEdge(inside, column, row, width, height) ? EDGE : INSIDE;
        const pixel = (row * width + column) * 3;
        for (let c = 0; c < 3; c++) data[pixel + c] = Math.round(data[pixel + c]! * (1 - share) + colour[c]! * share);
      }
    });
  }
  return { width, height, data };
}

/** Whether a pixel beside it, in the image, is not the object's. */
function isEdge(inside: Uint8Array, x: number, y: number, width: number, height: number): boolean {
  const at = y * width + x;
  return (
    (x > 0 && inside[at - 1] === 0) ||
    (x < width - 1 && inside[at + 1] === 0) ||
    (y > 0 && inside[at - width] === 0) ||
    (y < height - 1 && inside[at + width] === 0)
  );
}
