/** An image of `shapes` as a sample: a few numbers, drawn when it is needed. */
import type { Reader, SplitName } from "../../../reader.js";
import { drawShape, SIDE } from "./draw.js";
import { OUTLINES } from "../outlines.js";

/** An image of `shapes`, drawn from a seed. */
export interface ShapesReference {
  readonly kind: "shapes";
  readonly split: SplitName;
  readonly seed: number;
  readonly index: number;
}

/** The classes take turns, so that each has as many images. */
export function shapeLabel(index: number): number {
  return index % OUTLINES.length;
}

export const drawSample: Reader<ShapesReference> = {
  open({ split, seed, index }) {
    const data = drawShape(shapeLabel(index), `shapes ${seed} ${split} ${index}`);
    return { size: [SIDE, SIDE], pixels: () => ({ width: SIDE, height: SIDE, data }) };
  },
  describe: ({ split, index }) => `shapes, ${split} image ${index}`,
};
