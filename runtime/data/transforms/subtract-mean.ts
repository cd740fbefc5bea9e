import { DataError } from "../error.js";
import type { Raster } from "../raster.js";
import type { Statistics } from "../statistics.js";
import { scaled } from "./normalize.js";
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
    const data = scaled(raster, 1).slice();
    if (per === "pixel") {
      const mean = meanPicture(statistics!, raster);
      for (let i = 0; i < data.length; i++) data[i] = data[i]! - mean[i]!;
    } else {
      for (let i = 0; i < data.length; i++) data[i] = data[i]! - channelMean[i % 3]!;
    }
    if (divide === "std") for (let i = 0; i < data.length; i++) data[i] = data[i]! / channelStd[i % 3]!;
    if (range !== 1) for (let i = 0; i < data.length; i++) data[i] = data[i]! * range;
    return { ...raster, data };
  },
});

function meanPicture(statistics: Statistics, raster: Raster): Float32Array {
  const { width, height, mean } = statistics;
  if (raster.width === width && raster.height === height) return mean;
  throw new DataError(
    `subtract_mean: the mean picture is ${height}x${width} and the pictures are ${raster.height}x${raster.width} there`,
  );
}
