/** The mean of the training images, which the paper subtracts from every image. */
import type { Statistics } from "../images/statistics.js";
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

/** In memory that threads share, where pages may have such. */
export function shared(values: ArrayLike<number>): Float32Array {
  const bytes = values.length * 4;
  const out = new Float32Array(
    typeof SharedArrayBuffer === "undefined" ? new ArrayBuffer(bytes) : new SharedArrayBuffer(bytes),
  );
  out.set(values);
  return out;
}
