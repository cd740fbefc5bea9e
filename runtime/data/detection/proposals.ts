/**
 * Regions that a detector proposed for the images of a split, in a file: a safetensors file with `boxes` float32 [images, most,
 * 4] (x1, y1, x2, y2 in pixels of the original image; x2 - x1 is the width; the best first, zeros behind the last) and `counts`
 * int32 [images]. A row is read when its image is used, for there may be gigabytes of them.
 */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { DataError } from "../../data-error.js";
import { writeWhole } from "../../files.js";
import type { Box } from "../../images/box.js";
import { safetensorsHeader } from "../../weights/write-safetensors.js";

/** The regions of every image. */
export interface KeptProposals {
  readonly file: string;
  /** Of the split. */
  readonly images: number;
  /** Of all images together. */
  readonly count: number;
  /** Of an image, by its place in the split: the best first. @throws {DataError} where the file can't be read */
  of(image: number): readonly Box[];
  /** Closes the file. */
  close(): void;
}

/** What is written of an image. */
export type Proposals = readonly Box[];

interface Layout {
  readonly images: number;
  readonly most: number;
}

const EACH = 4 * Float32Array.BYTES_PER_ELEMENT;

/** Bytes of the file, nearly. */
export function proposalBytes({ images, most }: Layout): number {
  return images * (most * EACH + Int32Array.BYTES_PER_ELEMENT);
}

/**
 * Written whole or not at all.
 *
 * @param batches of images in the order of the split; of each at most `most` boxes, the best first
 * @throws {FileError}, and what `batches` throws
 */
export async function writeProposals(
  file: string,
  layout: Layout,
  batches: AsyncIterable<readonly Proposals[]>,
): Promise<void> {
  await writeWhole(file, chunksOf(layout, batches));
}

async function* chunksOf(
  { images, most }: Layout,
  batches: AsyncIterable<readonly Proposals[]>,
): AsyncGenerator<Uint8Array> {
  yield* safetensorsHeader([
    { name: "boxes", dtype: "float32", shape: [images, most, 4] },
    { name: "counts", dtype: "int32", shape: [images] },
  ]);
  const counts = new Int32Array(images);
  let done = 0;
  for await (const batch of batches) {
    const values = new Float32Array(batch.length * most * 4);
    for (const [index, boxes] of batch.entries()) {
      const kept = boxes.slice(0, most);
      kept.forEach(([x, y, width, height], at) => {
        values.set([x, y, x + width, y + height], 4 * (index * most + at));
      });
      counts[done + index] = kept.length;
    }
    done += batch.length;
    yield bytesOf(values);
  }
  if (done !== images) throw new Error(`proposals of ${done} images, not of ${images}`);
  yield bytesOf(counts);
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array | Int32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** @throws {DataError} one line: it is not there, or is of other images */
export function openProposals(file: string, images: number): KeptProposals {
  const descriptor = asDataError(file, () => openSync(file, "r"));
  try {
    const { base, most } = asDataError(file, () => readLayout(descriptor, images));
    const counts = new Int32Array(images);
    asDataError(file, () => readAt(descriptor, bytesOf(counts), base + images * most * EACH));
    return {
      file,
      images,
      count: counts.reduce((sum, each) => sum + each, 0),
      of(image) {
        const values = new Float32Array(4 * counts[image]!);
        asDataError(file, () => readAt(descriptor, bytesOf(values), base + image * most * EACH));
        return Array.from({ length: counts[image]! }, (_, row): Box => {
          const [x1, y1, x2, y2] = values.subarray(4 * row, 4 * row + 4) as unknown as [number, number, number, number];
          return [x1, y1, x2 - x1, y2 - y1];
        });
      },
      close: () => closeSync(descriptor),
    };
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

function readLayout(descriptor: number, images: number): { readonly base: number; readonly most: number } {
  const length = Buffer.alloc(8);
  readAt(descriptor, length, 0);
  const size = Number(length.readBigUInt64LE());
  if (size > 4096) throw new Error("is no file of proposals");
  const text = Buffer.alloc(size);
  readAt(descriptor, text, 8);
  const header = JSON.parse(text.toString()) as Readonly<Record<string, { readonly shape?: readonly number[] }>>;
  const [rows, most] = header["boxes"]?.shape ?? [];
  if (rows !== images || most === undefined)
    throw new Error(`has proposals of ${rows ?? "no"} images, not of ${images}`);
  const expected = 8 + size + proposalBytes({ images, most });
  if (fstatSync(descriptor).size !== expected) throw new Error("was cut off");
  return { base: 8 + size, most };
}

function readAt(descriptor: number, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.byteLength;) {
    const read = readSync(descriptor, bytes, done, bytes.byteLength - done, position + done);
    if (read === 0) throw new Error("was cut off");
    done += read;
  }
}

function asDataError<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new DataError(`${file}: ${code === "ENOENT" ? "is not there" : message}`, { cause });
  }
}
