/** Where pictures come from: files, bytes, or whatever makes their pixels. */
import { decodeImage } from "./decode.js";
import { ImageError, type Image } from "./image.js";

/** A picture that is not in a file. */
export interface NamedImage {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** A picture that is made when its turn comes. */
export interface MadeImage {
  readonly name: string;
  readonly pixels: () => Image | Promise<Image>;
}

/** A string is a file's path. */
export type ImageSource = string | NamedImage | MadeImage;

export function nameOf(source: ImageSource): string {
  return typeof source === "string" ? source : source.name;
}

/** @throws {ImageError} one line naming the picture */
export async function readImage(source: ImageSource): Promise<Image> {
  if (typeof source !== "string" && "pixels" in source) return source.pixels();
  return decodeImage(typeof source === "string" ? source : source.bytes, { name: nameOf(source) });
}

/**
 * Makes something of a picture.
 *
 * @returns it, or the one line, naming the picture, that says why it can't be made
 */
export async function orProblem<T extends object>(
  source: ImageSource,
  make: () => Promise<T>,
): Promise<T | { readonly error: string }> {
  try {
    return await make();
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    const name = nameOf(source);
    return { error: error.message.startsWith(name) ? error.message : `${name}: ${error.message}` };
  }
}
