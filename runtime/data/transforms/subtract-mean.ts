import { DataError } from "../error.js";
import { mapValues, valuesOf, type Raster } from "../raster.js";
import type { Statistics } from "../statistics.js";
import { choice, number } from "./parameter.js";
import { COLOURS, pixels } from "./transform.js";

export const subtractMean = pixels({
  kind: "subtract_mean",
  doc:
    "Subtracts the mean of the training pictures, measured before training: of each pixel, as the paper does (sections " +
    "3.4 and 4.2), or of each channel",
  parameters: {
    per: choice("What has a mean of its own", ["pixel", "channel"], "pixel"),
    divide: choice(
      "What the difference is divided by: nothing, or each channel's standard deviation",
      ["none", "std"],
      "none",
    ),
    range: number("The value of white before the subtraction", { min: 1, max: 255 }, 1),
  },
  takes: COLOURS,
  gives: "normalized",
  measured: true,
  apply(raster, { per, divide, range }, { statistics }) {
    const { channelMean, channelStd } = statistics!;
    const factor = divide === "std" ? channelStd.map((std) => range / std) : [range, range, range];
    if (per === "channel") {
      return mapValues(raster, (value, channel) => (value - channelMean[channel]!) * factor[channel]!);
    }
    const mean = meanPicture(statistics!, raster);
    const data = valuesOf(raster);
    for (let i = 0; i < data.length; i += 3) {
      data[i] = (data[i]! - mean[i]!) * factor[0]!;
      data[i + 1] = (data[i + 1]! - mean[i + 1]!) * factor[1]!;
      data[i + 2] = (data[i + 2]! - mean[i + 2]!) * factor[2]!;
    }
    return { width: raster.width, height: raster.height, data };
  },
});

function meanPicture(statistics: Statistics, raster: Raster): Float32Array {
  const { width, height, mean } = statistics;
  if (raster.width === width && raster.height === height) return mean;
  throw new DataError(
    `subtract_mean: the mean picture is ${height}x${width} and the pictures are ${raster.height}x${raster.width} there`,
  );
}
