/** What a way of mixing images has to say. */
import type { Random } from "../../random.js";

/** A batch is mixed in one way: each image with the one before it, the first with the last, all alike. */
export interface Mixture {
  /** Share of an image's own label that stays, 0 to 1; the other image's label has the rest. */
  readonly share: number;
  /** Changes an image, float32[channels, height, width], given the other as it was. */
  readonly mix: (image: Float32Array, other: Float32Array) => void;
}

/** A way of mixing: what is drawn for a batch of images of a size. */
export interface MixingWay {
  /** @param share as it was drawn: what is mixed may have to be rounded to pixels */
  readonly draw: (share: number, size: readonly [height: number, width: number], random: Random) => Mixture;
}
