/** An image of `scenes` as a sample: a few numbers, drawn when it is needed. */
import type { Reader, SplitName } from "../../../reader.js";
import { drawNumbered, type SceneNumber } from "./scenes.js";

/** An image of `scenes`, drawn from a seed. */
export interface ScenesReference extends SceneNumber {
  readonly kind: "scenes";
  readonly split: SplitName;
  readonly index: number;
}

export const drawSceneSample: Reader<ScenesReference> = {
  open: (reference) => ({
    size: [reference.height, reference.width],
    pixels: () => drawNumbered(reference).image,
  }),
  describe: ({ split, index }) => `scenes, ${split} image ${index}`,
};
