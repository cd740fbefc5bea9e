/** What a network is given. */
import { toGrey } from "./grey.js";
import type { Image } from "./image.js";
import { writePlanes, type Raster } from "./transforms/raster.js";

/** One image for the network: float32[channels, height, width], channel by channel. */
export interface Planes {
  /** 3, or 1 of grey. */
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly data: Float32Array;
}

/** An image as it is decoded, for networks that preprocess it themselves: uint8 [height, width, channels]. */
export interface Pixels {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly data: Uint8Array;
}

export function planesOf(raster: Raster, channels: 1 | 3): Planes {
  const { height, width } = raster;
  const data = new Float32Array(channels * height * width);
  writePlanes(raster, data, channels);
  return { channels, height, width, data };
}

/** @param channels of the network: 1 for grey */
export function pixelsOf(image: Image, channels: number | undefined): Pixels {
  const { width, height } = image;
  if (channels !== 1) return { channels: 3, height, width, data: image.data };
  return { channels, height, width, data: toGrey(image).data.filter((_, i) => i % 3 === 0) };
}
