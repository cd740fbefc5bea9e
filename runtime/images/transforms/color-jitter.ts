import { shuffle, type Random } from "../../random.js";
import { valuesOf } from "./raster.js";
import { adjustBrightness, adjustContrast, adjustHue, adjustSaturation } from "./color-adjust.js";
import { number } from "./parameter.js";
import { COLOURS, pixels } from "./transform.js";

const AMOUNT = { min: 0, max: 1 };

export const colorJitter = pixels({
  kind: "color_jitter",
  doc: "Changes brightness, contrast, saturation and hue by random amounts in random order, as torchvision's ColorJitter; grey images have no saturation and no hue to change",
  parameters: {
    brightness: number("The factor is drawn from 1 - brightness to 1 + brightness", AMOUNT, 0.4),
    contrast: number("The factor is drawn from 1 - contrast to 1 + contrast", AMOUNT, 0.4),
    saturation: number("The factor is drawn from 1 - saturation to 1 + saturation", AMOUNT, 0.4),
    hue: number("The turn is drawn from -hue to hue; 1 is once round the circle", { min: 0, max: 0.5 }, 0),
  },
  steady: () => [],
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
