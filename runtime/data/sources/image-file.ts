/** An image in a file of its own, or the bytes of such a file. */
import { openImage, type OpenedImage } from "../../images/decode.js";
import type { LazyImage } from "../../images/transforms/pipeline.js";
import type { Reader } from "../reader.js";

/** An image file. */
export interface FileReference {
  readonly kind: "file";
  readonly file: string;
}

/** What is in an image file, and what it is called in messages. */
export interface BytesReference {
  readonly kind: "bytes";
  readonly name: string;
  readonly bytes: Uint8Array;
}

export const readImage: Reader<FileReference> = {
  open: async ({ file }) => lazy(await openImage(file)),
  describe: ({ file }) => file,
};

export const readBytes: Reader<BytesReference> = {
  open: async ({ bytes, name }) => lazy(await openImage(bytes, { name })),
  describe: ({ name }) => name,
};

function lazy(image: OpenedImage): LazyImage {
  return { size: [image.height, image.width], pixels: (shrink) => image.decode(shrink) };
}

/**
 * For threads that each read an image at a time: the decoder adds no threads of its own, and keeps nothing in memory
 * for an image that comes again, which none does before an epoch has passed. Holds for the whole process.
 */
export async function useOneThreadPerImage(): Promise<void> {
  const { default: sharp } = await import("sharp");
  sharp.concurrency(1);
  sharp.cache(false);
}
