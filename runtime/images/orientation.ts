/** How the camera was held, by an image's EXIF data. */
import { nameOf, type ImageSource } from "./source.js";

/** EXIF's numbers: 1 upright, 2 to 4 mirrored or upside down, 5 to 8 lying on a side. */
export type Orientation = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

/** Reads the header alone. What can't be read, or is made when it is asked for, is upright. */
export async function orientationOf(source: ImageSource): Promise<Orientation> {
  if (typeof source !== "string" && !("bytes" in source)) return 1;
  const { default: sharp } = await import("sharp");
  try {
    const bytes = typeof source === "string" ? undefined : source.bytes;
    const input = typeof source === "string" ? nameOf(source) : typeof bytes === "function" ? await bytes() : bytes;
    const { orientation = 1 } = await sharp(input, { limitInputPixels: false }).metadata();
    return orientation >= 1 && orientation <= 8 ? (orientation as Orientation) : 1;
  } catch {
    return 1;
  }
}
