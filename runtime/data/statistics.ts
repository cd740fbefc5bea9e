/** The mean of the training images, which the paper subtracts from every image. */
import type { Statistics } from "../images/statistics.js";
import { openWeights } from "../weights/open.js";
import { WeightsError } from "../weights/source.js";
import { writeSafetensors } from "../weights/write-safetensors.js";
import { DataError } from "../data-error.js";

/** Sums over images of one size, in double precision. */
export class Measurement {
  readonly #pixels: Float64Array;
  readonly #squares: Float64Array;
  readonly #channels: 1 | 3;
  readonly height: number;
  readonly width: number;
  #samples = 0;

  constructor(height: number, width: number, channels: 1 | 3 = 3) {
    this.height = height;
    this.width = width;
    this.#channels = channels;
    this.#squares = new Float64Array(channels);
    this.#pixels = new Float64Array(height * width * channels);
  }

  /** @param planes float32[channels, height, width], values from 0 to 1 */
  add(planes: Float32Array): void {
    const channels = this.#channels;
    const length = this.height * this.width * channels;
    for (let channel = 0, at = 0; channel < channels; channel++) {
      let squares = 0;
      for (let i = channel; i < length; i += channels, at++) {
        const value = planes[at]!;
        this.#pixels[i] = this.#pixels[i]! + value;
        squares += value * value;
      }
      this.#squares[channel] = this.#squares[channel]! + squares;
    }
    this.#samples++;
  }

  result(): Statistics {
    if (this.#samples === 0) throw new DataError("no image to measure");
    const channels = this.#channels;
    const count = (this.#samples * this.#pixels.length) / channels;
    const channelMean = Array.from({ length: channels }, (_, channel) => {
      let sum = 0;
      for (let i = channel; i < this.#pixels.length; i += channels) sum += this.#pixels[i]!;
      return Math.fround(sum / count);
    });
    const channelStd = channelMean.map((mean, channel) => {
      const variance = this.#squares[channel]! / count - mean * mean;
      // A data set of one colour has no spread; dividing by 1 then changes nothing.
      return variance > 0 ? Math.fround(Math.sqrt(variance)) : 1;
    });
    const mean = shared(this.#pixels.map((sum) => sum / this.#samples));
    const { height, width } = this;
    return { height, width, mean, channelMean, channelStd, samples: this.#samples };
  }
}

function shared(values: ArrayLike<number>): Float32Array {
  const out = new Float32Array(new SharedArrayBuffer(values.length * 4));
  out.set(values);
  return out;
}

/** Writes a small safetensors file, whole or not at all. */
export async function saveStatistics(file: string, statistics: Statistics): Promise<void> {
  const { height, width, mean, channelMean, channelStd, samples } = statistics;
  const metadata = { format: FORMAT, samples: String(samples) };
  await writeSafetensors(
    file,
    [
      { name: "mean", dtype: "float32", shape: [height, width, channelMean.length], data: () => mean },
      {
        name: "channel_mean",
        dtype: "float32",
        shape: [channelMean.length],
        data: () => Float32Array.from(channelMean),
      },
      { name: "channel_std", dtype: "float32", shape: [channelStd.length], data: () => Float32Array.from(channelStd) },
    ],
    metadata,
  );
}

const FORMAT = "resnetc data statistics";

/** @throws {DataError} */
export async function loadStatistics(file: string): Promise<Statistics> {
  try {
    const source = await openWeights(file);
    try {
      const shape = source.tensors.get("mean")?.shape ?? [];
      const [height, width, channels] = shape;
      const complete = source.tensors.has("channel_mean") && source.tensors.has("channel_std");
      if (
        source.metadata["format"] !== FORMAT ||
        shape.length !== 3 ||
        (channels !== 3 && channels !== 1) ||
        !complete
      ) {
        throw new DataError(`${file}: not the statistics of a data set`);
      }
      return {
        height: height!,
        width: width!,
        mean: shared(source.read("mean")),
        channelMean: [...source.read("channel_mean")],
        channelStd: [...source.read("channel_std")],
        samples: Number(source.metadata["samples"]),
      };
    } finally {
      source.close();
    }
  } catch (error) {
    if (error instanceof WeightsError) throw new DataError(error.message, { cause: error });
    throw error;
  }
}
