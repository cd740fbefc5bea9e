/** Arguments that several detection layers take. */
import { boolean, number, numbers } from "../../words/schema.js";

export const INCLUSIVE = boolean("x2 is the last pixel of a box, not the one behind it.", { default: false });

export const IOU = number("Boxes that overlap a better one by more than this intersection over union are out.", {
  min: 0,
  max: 1,
});

/** Of deltas, read or made. */
export const CODING = {
  weights: numbers("The deltas' four inverse standard deviations.", { min: 1e-6, default: [1, 1, 1, 1] }),
  inclusive: INCLUSIVE,
};

export const CLAMP = number("The largest logarithm of a size that is believed; 0: any.", { min: 0, default: 0 });

export const LAST_PIXEL = boolean("Decoded boxes end with their last pixel: centre + width / 2 - 1.", {
  default: false,
});
