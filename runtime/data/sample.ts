/** From where a sample is to its image, on any thread. */
import { readRecord, type RecordReference } from "./sources/cifar/record.js";
import { readImage, type FileReference } from "./sources/image-file.js";
import { drawSample, type ShapesReference } from "./sources/synthetic/shapes/sample.js";
import { drawSceneSample, type ScenesReference } from "./sources/synthetic/scenes/sample.js";
import type { Reader } from "./reader.js";
import type { LazyImage } from "../images/transforms/pipeline.js";
import type { NamedSource } from "../images/source.js";
import { asImage } from "../images/transforms/raster.js";

/** Where a sample is: an image file, a record of a CIFAR file, or a number of `shapes` or `scenes`, which is drawn. */
export type SampleReference = FileReference | RecordReference | ShapesReference | ScenesReference;

const READERS: { readonly [K in SampleReference["kind"]]: Reader<Extract<SampleReference, { kind: K }>> } = {
  file: readImage,
  record: readRecord,
  shapes: drawSample,
  scenes: drawSceneSample,
};

function readerOf(reference: SampleReference): Reader<SampleReference> {
  return READERS[reference.kind] as Reader<SampleReference>;
}

/** @throws {ImageError} naming the place */
export function openSample(reference: SampleReference): LazyImage | Promise<LazyImage> {
  return readerOf(reference).open(reference);
}

/** The place in words: a file's path, or which sample of which data. */
export function describeSample(reference: SampleReference): string {
  return readerOf(reference).describe(reference);
}

/** The sample as an image to run a model on. */
export function sampleSource(reference: SampleReference): NamedSource {
  if (reference.kind === "file") return reference.file;
  return {
    name: describeSample(reference),
    pixels: async () => asImage(await (await openSample(reference)).pixels(1)),
  };
}
