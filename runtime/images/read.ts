/** Images out of files and bytes. */
import { decodeImage } from "./decode.js";
import type { Image } from "./image.js";
import { nameOf, type NamedSource } from "./source.js";

/** @throws {ImageError} one line naming the image */
export async function readImage(source: NamedSource): Promise<Image> {
  if (typeof source !== "string" && "pixels" in source) return source.pixels();
  return decodeImage(typeof source === "string" ? source : source.bytes, { name: nameOf(source) });
}
