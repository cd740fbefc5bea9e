/** The size of an image file by its first bytes, where they tell: to look at a hundred thousand files before training. */
import { open } from "node:fs/promises";
import { openImage } from "./decode.js";
import type { Size } from "./image.js";
import { jpegHeader } from "./jpeg-header.js";

/** What a file's header says. */
export interface ImageHeader {
  /** Upright. */
  readonly size: Size;
  /** It may say how the camera was held. */
  readonly mayBeTurned: boolean;
}

/** A JPEG's frame header stands behind tables of some hundred bytes, or behind a small preview. */
const FIRST = 32 * 1024;

/**
 * Of a JPEG without EXIF data a few kB are read; of any other image as much as it takes to know how it stands.
 *
 * @throws {ImageError} one line naming the file
 */
export async function readImageHeader(file: string): Promise<ImageHeader> {
  const jpeg = await beginning(file).then(jpegHeader, () => undefined);
  if (jpeg && !jpeg.hasExif) return { size: [jpeg.height, jpeg.width], mayBeTurned: false };
  const { height, width } = await openImage(file);
  return { size: [height, width], mayBeTurned: true };
}

async function beginning(file: string): Promise<Uint8Array> {
  const handle = await open(file);
  try {
    const bytes = new Uint8Array(FIRST);
    const { bytesRead } = await handle.read(bytes, 0, FIRST, 0);
    return bytes.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}
