import { TRANSFORM_WORDS } from "../../../compiler/words/transforms.js";
import { shuffle, type Random } from "../../random.js";
import { valuesOf } from "./raster.js";
import { adjustBrightness, adjustContrast, adjustHue, adjustSaturation } from "./color-adjust.js";
import { COLOURS, pixels } from "./transform.js";

export const colorJitter = pixels(TRANSFORM_WORDS.color_jitter, {
  deterministic: () => [],
  takes: COLOURS,
  gives: "colour",
  apply(raster, { brightness, contrast, saturation, hue }, { random, channels }) {
    const data = valuesOf(raster);
    const changes = [
      () => adjustBrightness(data, factor(brightness, random)),
      () => adjustContrast(data, factor(contrast, random)),
    ];
    const ofColours = [
      () => adjustSaturation(data, factor(saturation, random)),
      () => adjustHue(data, hue * (2 * random() - 1)),
    ];
    if (channels === 3) changes.push(...ofColours);
    const order = shuffle(Uint32Array.from(changes.keys()), random);
    for (const index of order) changes[index]!();
    return { width: raster.width, height: raster.height, data };
  },
});

function factor(amount: number, random: Random): number {
  return 1 + amount * (2 * random() - 1);
}
