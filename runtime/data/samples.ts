/** Samples that need no files: those that are drawn, and images that are there as pixels. */
import type { RecordReference } from "./sources/cifar/record.js";
import type { BytesReference, FileReference } from "./sources/image-file.js";
import { givenImage, type PixelsReference } from "./sources/pixels/sample.js";
import { drawSceneSample, type ScenesReference } from "./sources/synthetic/scenes/sample.js";
import { drawSample, type ShapesReference } from "./sources/synthetic/shapes/sample.js";
import type { Reader } from "./reader.js";
import type { MadeImage } from "../images/source.js";
import type { LazyImage } from "../images/transforms/pipeline.js";
import { asImage } from "../images/transforms/raster.js";

/**
 * Where a sample is: an image file or its bytes, a record of a CIFAR file, a number of `shapes` or `scenes`, which is drawn,
 * or the pixels themselves.
 */
export type SampleReference =
  FileReference | BytesReference | RecordReference | ShapesReference | ScenesReference | PixelsReference;

/** Readers by the kind of reference. */
export type Readers = { readonly [K in SampleReference["kind"]]?: Reader<Extract<SampleReference, { kind: K }>> };

/** How samples become images, on a machine that can read these kinds. */
export interface Samples {
  /** @throws {ImageError} naming the place */
  open(reference: SampleReference): LazyImage | Promise<LazyImage>;
  /** The place in words: a file's path, or which sample of which data. */
  describe(reference: SampleReference): string;
}

/** Readers that run wherever JavaScript does. */
export const READERS = { shapes: drawSample, scenes: drawSceneSample, pixels: givenImage } satisfies Readers;

export function samplesBy(readers: Readers): Samples {
  const readerOf = ({ kind }: SampleReference): Reader<SampleReference> => {
    const reader = readers[kind];
    if (reader === undefined) throw new TypeError(`a sample of kind ${kind} can't be read here`);
    return reader as Reader<SampleReference>;
  };
  return {
    open: (reference) => readerOf(reference).open(reference),
    describe: (reference) => readerOf(reference).describe(reference),
  };
}

/** The sample as an image to run a model on. */
export function imageOfSample(samples: Samples, reference: SampleReference): MadeImage {
  return {
    name: samples.describe(reference),
    pixels: async () => asImage(await (await samples.open(reference)).pixels(1)),
  };
}
