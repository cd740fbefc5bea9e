/** Images as a browser decodes them. */
import { ImageError, type Image } from "../images/image.js";
import { nameOf, type NamedSource } from "../images/source.js";
import { fetched } from "./fetched.js";

/** Pixels of red, green, blue and alpha, row by row, as a canvas gives them: an `ImageData`. */
export interface CanvasPixels {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8ClampedArray | Uint8Array;
}

/**
 * The colours of a canvas's pixels; how transparent they are is dropped.
 *
 *     classifier.classify([{ name: "camera", pixels: () => imageOf(context.getImageData(0, 0, width, height)) }]);
 */
export function imageOf({ width, height, data }: CanvasPixels): Image {
  const pixels = width * height;
  if (data.length !== pixels * 4) throw new TypeError(`${data.length} bytes are no pixels of ${width}x${height}`);
  const colours = new Uint8Array(pixels * 3);
  for (let pixel = 0, to = 0; pixel < pixels; pixel++) {
    colours[to++] = data[pixel * 4]!;
    colours[to++] = data[pixel * 4 + 1]!;
    colours[to++] = data[pixel * 4 + 2]!;
  }
  return { width, height, data: colours };
}

/** What is used of a browser; TypeScript knows it only with the library of the DOM. */
interface Browser {
  createImageBitmap(blob: Blob): Promise<Bitmap>;
  readonly OffscreenCanvas: new (
    width: number,
    height: number,
  ) => { getContext(kind: "2d", settings: object): Context | null };
}

interface Bitmap {
  readonly width: number;
  readonly height: number;
  close(): void;
}

interface Context {
  drawImage(image: Bitmap, x: number, y: number): void;
  getImageData(x: number, y: number, width: number, height: number): CanvasPixels;
}

/**
 * Decodes an image: whatever format the browser knows, upright, in sRGB. A text is an address, which is fetched.
 *
 * Of JPEG, browsers decode to the levels that Node's decoder gives; of partly transparent pixels a canvas keeps the colours
 * only nearly.
 *
 * @throws {ImageError} one line naming the image
 */
export async function readImage(source: NamedSource): Promise<Image> {
  if (typeof source !== "string" && "pixels" in source) return source.pixels();
  const name = nameOf(source);
  const blob =
    typeof source === "string" ? await (await fetched(source, ImageError)).blob() : new Blob([source.bytes.slice()]);
  const { createImageBitmap, OffscreenCanvas } = globalThis as unknown as Browser;
  let bitmap: Bitmap;
  try {
    bitmap = await createImageBitmap(blob);
  } catch (cause) {
    throw new ImageError(`${name}: is no image that this browser can decode`, { cause });
  }
  try {
    const { width, height } = bitmap;
    const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
    if (!context) throw new ImageError(`${name}: ${width}x${height} is more than this browser can draw`);
    context.drawImage(bitmap, 0, 0);
    return imageOf(context.getImageData(0, 0, width, height));
  } finally {
    bitmap.close();
  }
}
