import { scaleBytes, type Raster } from "../raster.js";
import { channels, choice, number } from "./parameter.js";
import { COLOURS, pixels } from "./transform.js";

export const normalize = pixels({
  kind: "normalize",
  doc: "Subtracts a number from each channel and divides by another; the same arithmetic as a `preprocess` declaration",
  parameters: {
    mean: channels("Subtracted from each channel, in the order of `color`", { min: -1000, max: 1000 }, [0, 0, 0]),
    std: channels("Each channel is divided by it after that", { min: 1e-6, max: 1000 }, [1, 1, 1]),
    range: number("The value of white before the subtraction", { min: 1, max: 255 }, 1),
    color: choice("The order of the channels afterwards", ["rgb", "bgr"], "rgb"),
  },
  takes: COLOURS,
  gives: "normalized",
  apply(raster, { mean, std, range, color }) {
    const from = scaled(raster, range);
    const out = new Float32Array(from.length);
    for (let channel = 0; channel < 3; channel++) {
      const source = color === "rgb" ? channel : 2 - channel;
      const center = Math.fround(mean[channel]!);
      const spread = Math.fround(std[channel]!);
      for (let i = 0; i < out.length; i += 3) {
        out[i + channel] = Math.fround(from[i + source]! - center) / spread;
      }
    }
    return { ...raster, data: out };
  },
});

/** Values with white at `range`. */
export function scaled({ data }: Raster, range: number): Float32Array {
  if (data instanceof Uint8Array) return scaleBytes(data, range);
  return range === 1 ? data : data.map((value) => value * range);
}
