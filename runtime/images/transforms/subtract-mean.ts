import { TRANSFORM_WORDS } from "../../../compiler/words/transforms.js";
import { DataError } from "../../data-error.js";
import { mapValues, valuesOf, type Raster } from "./raster.js";
import type { Statistics } from "../statistics.js";
import { COLOURS, pixels } from "./transform.js";

export const subtractMean = pixels(TRANSFORM_WORDS.subtract_mean, {
  takes: COLOURS,
  gives: "normalized",
  measured: true,
  apply(raster, { per, divide, range }, { statistics }) {
    const { channelMean, channelStd } = statistics!;
    const factors = divide === "std" ? channelStd.map((std) => range / std) : channelMean.map(() => range);
    // Of grey one number stands for the three equal channels.
    const [factor, means] = factors.length === 1 ? [three(factors), three(channelMean)] : [factors, channelMean];
    if (per === "channel") {
      return mapValues(raster, (channel) => {
        const [mean, times] = [means[channel]!, factor[channel]!];
        return (value) => (value - mean) * times;
      });
    }
    const mean = meanImage(statistics!, raster);
    const data = valuesOf(raster);
    const [pixel, channel] = factors.length === 1 ? [1, 0] : [3, 1];
    for (let i = 0, at = 0; i < data.length; i += 3, at += pixel) {
      data[i] = (data[i]! - mean[at]!) * factor[0]!;
      data[i + 1] = (data[i + 1]! - mean[at + channel]!) * factor[1]!;
      data[i + 2] = (data[i + 2]! - mean[at + 2 * channel]!) * factor[2]!;
    }
    return { width: raster.width, height: raster.height, data };
  },
});

function three([value]: readonly number[]): readonly number[] {
  return [value!, value!, value!];
}

function meanImage(statistics: Statistics, raster: Raster): Float32Array {
  const { width, height, mean } = statistics;
  if (raster.width === width && raster.height === height) return mean;
  throw new DataError(
    `subtract_mean: the mean image is ${height}x${width}, this image ${raster.height}x${raster.width} there; ` +
      "center_crop or resize before subtract_mean brings all to one size",
  );
}
