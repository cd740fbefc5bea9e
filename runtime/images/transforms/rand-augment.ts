import { TRANSFORM_WORDS } from "../../../compiler/words/transforms.js";
import { augmented, bitsLess, evenly, fillProblem, type Space } from "./augment-operations.js";
import { asImage } from "./raster.js";
import { BYTES, pixels } from "./transform.js";

export const randAugment = pixels(TRANSFORM_WORDS.rand_augment, {
  deterministic: () => [],
  takes: BYTES,
  gives: "bytes",
  displaces: true,
  conflict: ({ magnitude, num_magnitude_bins: bins, fill }) =>
    magnitude < bins
      ? fillProblem(fill)
      : `magnitude ${magnitude} has to be below num_magnitude_bins, which is ${bins}`,
  apply(raster, { num_ops: count, magnitude: bin, num_magnitude_bins: bins, interpolation, fill }, { random }) {
    let image = asImage(raster);
    for (let i = 0; i < count; i++) image = augmented(image, SPACE, { bin, bins, interpolation, fill }, random);
    return image;
  },
});

/** torchvision's magnitudes for RandAugment. */
export const SPACE: Space = ([height, width]) => ({
  shear_x: { of: evenly(0, 0.3), signed: true },
  shear_y: { of: evenly(0, 0.3), signed: true },
  translate_x: { of: evenly(0, (150 / 331) * width), signed: true },
  translate_y: { of: evenly(0, (150 / 331) * height), signed: true },
  rotate: { of: evenly(0, 30), signed: true },
  brightness: { of: evenly(0, 0.9), signed: true },
  color: { of: evenly(0, 0.9), signed: true },
  contrast: { of: evenly(0, 0.9), signed: true },
  sharpness: { of: evenly(0, 0.9), signed: true },
  posterize: { of: bitsLess(4) },
  solarize: { of: evenly(255, 0) },
});
