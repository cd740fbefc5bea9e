import { mapValues, swapRedAndBlue } from "./raster.js";
import { channels, choice, number } from "./parameter.js";
import { COLOURS, pixels } from "./transform.js";

export const normalize = pixels({
  kind: "normalize",
  doc: "Subtracts a number from each channel and divides by another; the same arithmetic as a `preprocess` declaration",
  parameters: {
    mean: channels("Subtracted from each channel, in the order of `color`", { min: -1000, max: 1000 }, [0, 0, 0]),
    std: channels("Each channel is divided by it after that", { min: 1e-6, max: 1000 }, [1, 1, 1]),
    range: number("The value of white before the subtraction", { min: 1, max: 255 }, 1),
    color: choice("The order of the channels afterwards; grey: one", ["rgb", "bgr", "grey"], "rgb"),
  },
  takes: COLOURS,
  gives: "normalized",
  apply(raster, { mean, std, range, color }) {
    const center = mean.map(Math.fround);
    const spread = std.map(Math.fround);
    return mapValues(color === "bgr" ? swapRedAndBlue(raster) : raster, (value, channel) => {
      // Of grey one number stands for the three equal channels.
      const [mean, std] = [center[channel] ?? center[0]!, spread[channel] ?? spread[0]!];
      return Math.fround(Math.fround(value * range) - mean) / std;
    });
  },
});
