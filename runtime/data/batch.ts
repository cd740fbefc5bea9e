/** From a list of samples to one tensor: what a thread does for one batch. */
import type { Size } from "../images/image.js";
import { ImageError } from "../images/image.js";
import { DataError } from "../data-error.js";
import type { Pipeline } from "../images/transforms/pipeline.js";
import { writePlanes, type Raster } from "../images/transforms/raster.js";
import type { SampleReference, Samples } from "./samples.js";

export interface BatchOrder {
  readonly references: readonly SampleReference[];
  /** Indices of the samples in their split. */
  readonly indices: readonly number[];
  readonly seed: number;
  readonly epoch: number;
  /** Of each sample, in place of the epoch. */
  readonly passes?: readonly number[];
}

export interface MadeBatch {
  /** float32[images, channels, height, width] of the samples that could be read, `views` images each, one after the other. */
  readonly images: Float32Array<ArrayBuffer>;
  readonly height: number;
  readonly width: number;
  /** Samples that could not be read: their places in the order, and why. */
  readonly failures: readonly Failure[];
}

export interface Failure {
  readonly place: number;
  /** One line that names the sample. */
  readonly message: string;
}

/** Between two samples; other work of the thread is done there, and the batch ends there if it throws. */
export type Pause = () => void | Promise<void>;

/**
 * Reads, augments and stacks.
 *
 * @throws {DataError} where the images of a batch come out in different sizes
 */
export async function makeBatch(
  order: BatchOrder,
  pipeline: Pipeline,
  samples: Samples,
  pause: Pause,
): Promise<MadeBatch> {
  const { references, indices, seed, epoch, passes } = order;
  const failures: Failure[] = [];
  let stack: Stack | undefined;
  for (const [place, reference] of references.entries()) {
    await pause();
    try {
      const source = await samples.open(reference);
      const rasters = await pipeline.run(source, { seed, epoch: passes?.[place] ?? epoch, index: indices[place]! });
      const size: Size = [rasters[0]!.height, rasters[0]!.width];
      stack ??= new Stack(references.length * pipeline.views, pipeline.channels, size);
      for (const raster of rasters) stack.add(raster, samples.describe(reference));
    } catch (error) {
      if (!(error instanceof ImageError || error instanceof DataError)) throw error;
      const name = samples.describe(reference);
      const message = error.message.startsWith(name) ? error.message : `${name}: ${error.message}`;
      if (error instanceof DataError) throw new DataError(message, { cause: error });
      failures.push({ place, message });
    }
  }
  const [height, width] = stack?.size ?? pipeline.size ?? [0, 0];
  return { images: stack?.result() ?? new Float32Array(), height, width, failures };
}

/** Images of one size, channel by channel, one after the other. */
class Stack {
  readonly size: Size;
  readonly #channels: 1 | 3;
  readonly #images: Float32Array<ArrayBuffer>;
  readonly #each: number;
  #used = 0;

  constructor(capacity: number, channels: 1 | 3, size: Size) {
    this.size = size;
    this.#channels = channels;
    this.#each = channels * size[0] * size[1];
    this.#images = new Float32Array(capacity * this.#each);
  }

  add(raster: Raster, name: string): void {
    const [height, width] = this.size;
    if (raster.height !== height || raster.width !== width) {
      throw new DataError(
        `${name}: is ${raster.height}x${raster.width} after the transforms, the others of its batch ` +
          `${height}x${width}; cut all to one size, or take batches of 1`,
      );
    }
    writePlanes(raster, this.#images.subarray(this.#used, this.#used + this.#each), this.#channels);
    this.#used += this.#each;
  }

  /** Without the room that was kept for samples that could not be read. */
  result(): Float32Array<ArrayBuffer> {
    return this.#used === this.#images.length ? this.#images : this.#images.slice(0, this.#used);
  }
}
