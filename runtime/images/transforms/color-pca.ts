import { TRANSFORM_WORDS } from "../../../compiler/words/transforms.js";
import { fillNormal } from "../../random.js";
import { mapValues } from "./raster.js";
import { COLOURS, pixels } from "./transform.js";

/**
 * Principal components of the colours of ImageNet's training images, for values from 0 to 1: as fb.resnet.torch
 * publishes them (datasets/imagenet.lua). Each row of vectors is a channel, each column a component.
 */
const VALUES = [0.2175, 0.0188, 0.0045] as const;
const VECTORS = [
  [-0.5675, 0.7192, 0.4009],
  [-0.5808, -0.0045, -0.814],
  [-0.5836, -0.6948, 0.4203],
] as const;

export const colorPca = pixels(TRANSFORM_WORDS.color_pca, {
  deterministic: () => [],
  takes: COLOURS,
  colourOnly: true,
  gives: "colour",
  apply(raster, { std }, { random }) {
    const drawn = new Float32Array(3);
    fillNormal(drawn, std, random);
    const shift = colourShift(drawn);
    return mapValues(raster, (channel) => {
      const added = shift[channel]!;
      return (value) => value + added;
    });
  },
});

/** What is added to red, green and blue. */
export function colourShift(drawn: ArrayLike<number>): readonly number[] {
  return VECTORS.map((row) => row.reduce((sum, entry, k) => sum + entry * VALUES[k]! * drawn[k]!, 0));
}
