import { TRANSFORM_WORDS } from "../../../compiler/words/transforms.js";
import { fillNormal, type Random } from "../../random.js";
import type { Size } from "../image.js";
import type { Window } from "../resample.js";
import { drawPart } from "./random-resized-crop.js";
import { valuesOf } from "./raster.js";
import { pixels } from "./transform.js";

export const randomErasing = pixels(TRANSFORM_WORDS.random_erasing, {
  deterministic: () => [],
  takes: ["normalized"],
  gives: "normalized",
  apply(raster, { probability, scale, ratio, fill }, { random, channels }) {
    if (random() >= probability) return raster;
    const { width, height } = raster;
    const part = drawErased([height, width], scale, ratio, random);
    if (!part) return raster;
    const data = valuesOf(raster);
    const noise = new Float32Array(fill === "noise" ? part.width * part.height * channels : 0);
    if (fill === "noise") fillNormal(noise, 1, random);
    for (let row = 0; row < part.height; row++) {
      for (let column = 0; column < part.width; column++) {
        const at = 3 * ((part.top + row) * width + part.left + column);
        const from = channels * (row * part.width + column);
        // Grey images have three equal channels.
        for (let channel = 0; channel < 3; channel++) {
          data[at + channel] = fill === "noise" ? noise[from + (channels === 3 ? channel : 0)]! : 0;
        }
      }
    }
    return { width, height, data };
  },
});

const TRIES = 10;

/** As torchvision: the part is smaller than the image in both directions; undefined where no try was. */
export function drawErased(
  [height, width]: Size,
  scale: readonly [number, number],
  ratio: readonly [number, number],
  random: Random,
): Window | undefined {
  for (let tries = 0; tries < TRIES; tries++) {
    // Height by width, where a crop's ratio is width by height.
    const [partHeight, partWidth] = drawPart(height * width, scale, ratio, random);
    if (partHeight < 1 || partWidth < 1 || partHeight >= height || partWidth >= width) continue;
    const top = Math.floor(random() * (height - partHeight + 1));
    const left = Math.floor(random() * (width - partWidth + 1));
    return { left, top, width: partWidth, height: partHeight };
  }
  return undefined;
}
