/** From where a sample is to its image, on any thread of Node. */
import { readRecord } from "./sources/cifar/record.js";
import { readBytes, readImage } from "./sources/image-file.js";
import { imageOfSample, READERS, samplesBy, type SampleReference, type Samples } from "./samples.js";
import type { NamedSource } from "../images/source.js";
import type { LazyImage } from "../images/transforms/pipeline.js";

export type { SampleReference };

/** Samples of all kinds. */
export const SAMPLES: Samples = samplesBy({ ...READERS, file: readImage, bytes: readBytes, record: readRecord });

/** @throws {ImageError} naming the place */
export function openSample(reference: SampleReference): LazyImage | Promise<LazyImage> {
  return SAMPLES.open(reference);
}

/** The place in words: a file's path, or which sample of which data. */
export function describeSample(reference: SampleReference): string {
  return SAMPLES.describe(reference);
}

/** The sample as an image to run a model on. */
export function sampleSource(reference: SampleReference): NamedSource {
  if (reference.kind === "file") return reference.file;
  return imageOfSample(SAMPLES, reference);
}
