/** From where a sample is to its picture, on any thread. */
import { readRecord, type RecordReference } from "./sources/cifar-record.js";
import { readPicture, type FileReference } from "./sources/picture-file.js";
import { drawSample, type ShapesReference } from "./sources/shapes/sample.js";
import type { PictureSource } from "./pipeline.js";

/** Where a sample is: an image file, a record of a CIFAR file, or a number of `shapes`, which is drawn. */
export type SampleReference = FileReference | RecordReference | ShapesReference;

/** A kind of place that samples come from. */
export interface Reader<R> {
  /** Throws an ImageError where there is no picture that can be used. */
  readonly open: (reference: R) => PictureSource | Promise<PictureSource>;
  /** For messages. */
  readonly describe: (reference: R) => string;
}

const READERS: { readonly [K in SampleReference["kind"]]: Reader<Extract<SampleReference, { kind: K }>> } = {
  file: readPicture,
  record: readRecord,
  shapes: drawSample,
};

function readerOf(reference: SampleReference): Reader<SampleReference> {
  return READERS[reference.kind] as Reader<SampleReference>;
}

/** @throws {ImageError} naming the place */
export function openSample(reference: SampleReference): PictureSource | Promise<PictureSource> {
  return readerOf(reference).open(reference);
}

/** The place in words: a file's path, or which sample of which data. */
export function describeSample(reference: SampleReference): string {
  return readerOf(reference).describe(reference);
}
