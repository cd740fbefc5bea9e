import { TRANSFORM_WORDS } from "../../../compiler/words/transforms.js";
import { mapValues, swapRedAndBlue } from "./raster.js";
import { COLOURS, pixels } from "./transform.js";

export const normalize = pixels(TRANSFORM_WORDS.normalize, {
  takes: COLOURS,
  gives: "normalized",
  apply(raster, { mean, std, range, color }) {
    const center = mean.map(Math.fround);
    const spread = std.map(Math.fround);
    return mapValues(color === "bgr" ? swapRedAndBlue(raster) : raster, (channel) => {
      // Of grey one number stands for the three equal channels.
      const [mean, std] = [center[channel] ?? center[0]!, spread[channel] ?? spread[0]!];
      return (value) => Math.fround(Math.fround(value * range) - mean) / std;
    });
  },
});
