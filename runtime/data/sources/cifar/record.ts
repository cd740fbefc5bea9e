/** One image of a CIFAR file: a few bytes of labels, then 32x32 red, green and blue values, channel by channel. */
import { closeSync, openSync, readSync } from "node:fs";
import { ImageError } from "../../../images/image.js";
import type { LazyImage } from "../../../images/transforms/pipeline.js";
import type { Reader } from "../../reader.js";

export const SIDE = 32;
export const PIXEL_BYTES = 3 * SIDE * SIDE;

/** An image among others in a file of CIFAR. */
export interface RecordReference {
  readonly kind: "record";
  readonly file: string;
  /** Where the pixels begin, in bytes of the file or of the text. */
  readonly offset: number;
  /** Python 3 wrote the file for Python 2: the pixels are the characters of a text, in UTF-8. */
  readonly text?: { readonly start: number; readonly length: number };
}

export const readRecord: Reader<RecordReference> = {
  open({ file, offset, text }): LazyImage {
    const planes = text ? charactersOf(file, text).subarray(offset, offset + PIXEL_BYTES) : new Uint8Array(PIXEL_BYTES);
    const read = text ? planes.length : readSync(opened(file), planes, 0, PIXEL_BYTES, offset);
    if (read !== PIXEL_BYTES) throw new ImageError(`${file}: became shorter while it was read`);
    const raster = { width: SIDE, height: SIDE, data: interleaved(planes) };
    return { size: [SIDE, SIDE], pixels: () => raster };
  },
  describe: ({ file, offset }) => `${file} at byte ${offset}`,
};

function interleaved(planes: Uint8Array): Uint8Array {
  const area = planes.length / 3;
  const out = new Uint8Array(planes.length);
  for (let i = 0, at = 0; i < area; i++, at += 3) {
    out[at] = planes[i]!;
    out[at + 1] = planes[i + area]!;
    out[at + 2] = planes[i + 2 * area]!;
  }
  return out;
}

/** The data set's few files stay open on each thread; the operating system keeps their pages. */
const files = new Map<string, number>();

function opened(file: string): number {
  let descriptor = files.get(file);
  if (descriptor === undefined) {
    descriptor = openSync(file, "r");
    files.set(file, descriptor);
  }
  return descriptor;
}

/** Texts stay decoded on each thread; CIFAR has six of them. */
const texts = new Map<string, Uint8Array>();

function charactersOf(file: string, { start, length }: NonNullable<RecordReference["text"]>): Uint8Array {
  let characters = texts.get(file);
  if (characters === undefined) {
    const bytes = Buffer.alloc(length);
    readSync(opened(file), bytes, 0, length, start);
    characters = Buffer.from(bytes.toString("utf8"), "latin1");
    texts.set(file, characters);
  }
  return characters;
}

/** For tests and long-lived programs: the files that records were read from are closed. */
export function closeRecordFiles(): void {
  for (const descriptor of files.values()) closeSync(descriptor);
  files.clear();
  texts.clear();
}
