import { TRANSFORM_WORDS } from "../../../compiler/words/transforms.js";
import { augmented, bitsLess, evenly, fillProblem, type Space } from "./augment-operations.js";
import { asImage } from "./raster.js";
import { BYTES, pixels } from "./transform.js";

export const trivialAugment = pixels(TRANSFORM_WORDS.trivial_augment, {
  deterministic: () => [],
  takes: BYTES,
  gives: "bytes",
  displaces: true,
  conflict: ({ fill }) => fillProblem(fill),
  apply: (raster, { num_magnitude_bins: bins, interpolation, fill }, { random }) =>
    augmented(asImage(raster), SPACE, { bins, interpolation, fill }, random),
});

/** torchvision's magnitudes for TrivialAugmentWide. */
export const SPACE: Space = () => ({
  shear_x: { of: evenly(0, 0.99), signed: true },
  shear_y: { of: evenly(0, 0.99), signed: true },
  translate_x: { of: evenly(0, 32), signed: true },
  translate_y: { of: evenly(0, 32), signed: true },
  rotate: { of: evenly(0, 135), signed: true },
  brightness: { of: evenly(0, 0.99), signed: true },
  color: { of: evenly(0, 0.99), signed: true },
  contrast: { of: evenly(0, 0.99), signed: true },
  sharpness: { of: evenly(0, 0.99), signed: true },
  posterize: { of: bitsLess(6) },
  solarize: { of: evenly(255, 0) },
});
