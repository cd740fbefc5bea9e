/** An image in a file of its own. */
import { openImage } from "../../images/decode.js";
import type { Reader } from "../reader.js";

/** An image file. */
export interface FileReference {
  readonly kind: "file";
  readonly file: string;
}

export const readImage: Reader<FileReference> = {
  async open({ file }) {
    const image = await openImage(file);
    return { size: [image.height, image.width], pixels: (shrink) => image.decode(shrink) };
  },
  describe: ({ file }) => file,
};

/**
 * For threads that each read an image at a time: the decoder adds no threads of its own, and keeps nothing in memory
 * for an image that comes again, which none does before an epoch has passed. Holds for the whole process.
 */
export async function useOneThreadPerImage(): Promise<void> {
  const { default: sharp } = await import("sharp");
  sharp.concurrency(1);
  sharp.cache(false);
}
