/** Image files to RGB, the same pixels that Pillow's `Image.open(file).convert("RGB")` gives. */
import { readFile, stat } from "node:fs/promises";
import type { Metadata, Sharp } from "sharp";
import { decodeBmp, readBmpHeader } from "./bmp.js";
import { onGround, opaqueGif } from "./gif.js";
import { ImageError, type Image } from "./image.js";
import { jpegHeader } from "./jpeg-header.js";
import { kindOf, READ_KINDS, type Decoder } from "./kinds.js";
import { withRoomFor } from "./memory.js";
import { decodePnm, readPnmHeader } from "./pnm.js";

export interface DecodeOptions {
  /** An image of more pixels is refused before any memory is spent on it. Default 100 million. */
  readonly maxPixels?: number;
  /** For messages, where the image is given as bytes. */
  readonly name?: string;
}

const MAX_PIXELS = 100_000_000;
/** Of a side: that of the largest JPEG. Longer ones take minutes to decode, whatever their other side. */
const MAX_SIDE = 65_535;
const MAX_FILE = 512 * 1024 * 1024;
const FORMATS = new Set(["jpeg", "png", "webp", "gif", "tiff"]);

/** An image whose header was read. */
export interface OpenedImage {
  /** Upright, in pixels. */
  readonly width: number;
  readonly height: number;
  /**
   * Waits where too much is being decoded already, on whatever thread.
   *
   * @param shrink a JPEG is given 2, 4 or 8 times smaller in both directions, rounded down: faster, if not by as much;
   *   other formats come as they are
   * @throws {ImageError}
   */
  readonly decode: (shrink?: Shrink) => Promise<Image>;
}

type Shrink = 1 | 2 | 4 | 8;

/**
 * Decodes a JPEG, PNG, WebP, GIF (first frame), TIFF (first page), BMP or PNM: by its content, whatever its name.
 *
 * - The EXIF orientation is applied, so that the image stands as the camera was held.
 * - Grey becomes three equal channels; 16 bits become the upper 8.
 * - Alpha is dropped, as torchvision's loader does: transparent pixels show the colour stored under them.
 * - Colour profiles are not applied, and CMYK is converted by (1 - c)(1 - k), for the same reason.
 *
 * @throws {ImageError} one line naming the file: missing, empty, no image, cut short, damaged or too large
 */
export async function decodeImage(source: string | Uint8Array, options: DecodeOptions = {}): Promise<Image> {
  return (await openImage(source, options)).decode();
}

/**
 * The first half of {@link decodeImage}: what it costs and whether it can be paid.
 *
 * @throws {ImageError}
 */
export async function openImage(source: string | Uint8Array, options: DecodeOptions = {}): Promise<OpenedImage> {
  const name = options.name ?? (typeof source === "string" ? source : "image");
  const maxPixels = options.maxPixels ?? MAX_PIXELS;
  const bytes = typeof source === "string" ? await readImage(source) : source;
  if (bytes.length === 0) throw new ImageError(`${name}: empty, not an image`);
  const { width, height, decode } = await named(name, () => HEADERS[decoderOf(bytes)](bytes));
  if (width * height > maxPixels) throw new ImageError(`${name}: ${width}x${height} is more than ${maxPixels} pixels`);
  if (Math.max(width, height) > MAX_SIDE) {
    throw new ImageError(`${name}: ${width}x${height} is too long: a side may have ${MAX_SIDE} pixels`);
  }
  return {
    width,
    height,
    decode: (shrink = 1) => withRoomFor(width * height, () => named(name, () => decode(shrink, maxPixels))),
  };
}

/** By the first bytes alone: what is no image that is read reaches no decoder. */
function decoderOf(bytes: Uint8Array): Decoder {
  const kind = kindOf(bytes);
  if (kind === undefined) throw new ImageError(`not an image in a format that is read (${READ_KINDS})`);
  if (kind.decoder !== undefined) return kind.decoder;
  throw new ImageError(`is ${kind.name}, which is not read${kind.remedy === undefined ? "" : `; ${kind.remedy}`}`);
}

interface Header {
  readonly width: number;
  readonly height: number;
  readonly decode: (shrink: Shrink, maxPixels: number) => Promise<Image>;
}

/** How the header of a file is read, and then the rest. */
const HEADERS: Readonly<Record<Decoder, (bytes: Uint8Array) => Header | Promise<Header>>> = {
  library: readHeader,
  async gif(bytes) {
    const { width, height } = await metadata(bytes);
    const decode: Header["decode"] = async (_, maxPixels) => {
      const gif = opaqueGif(bytes);
      return onGround(await decodeColours(await opened(gif.bytes, maxPixels), 1), gif);
    };
    return { width, height, decode };
  },
  bmp(bytes) {
    const header = readBmpHeader(bytes);
    return { ...sizeOf(header), decode: async () => decodeBmp(bytes, header) };
  },
  pnm(bytes) {
    const header = readPnmHeader(bytes);
    return { ...sizeOf(header), decode: async () => decodePnm(bytes, header) };
  },
};

function sizeOf({ width, height }: Image | Omit<Image, "data">): Omit<Image, "data"> {
  return { width, height };
}

async function readHeader(bytes: Uint8Array): Promise<Header> {
  const jpeg = jpegHeader(bytes);
  // The usual photograph needs no conversion, and asking for one that does nothing takes a third of the decoding.
  if (jpeg?.components === 3 && !jpeg.hasExif) {
    return { ...jpeg, decode: async (shrink, max) => decodePlainJpeg(await opened(bytes, max), shrink) };
  }
  const { autoOrient, space } = await metadata(bytes);
  const decode = space === "cmyk" ? decodeInks : decodeColours;
  return { ...autoOrient, decode: async (shrink, max) => decode(await opened(bytes, max), shrink) };
}

async function metadata(bytes: Uint8Array): Promise<Metadata> {
  const { default: sharp } = await import("sharp");
  // The header is read without a limit so that the message can give the size.
  const header = await sharp(bytes, { limitInputPixels: false }).metadata();
  if (!FORMATS.has(header.format)) throw new ImageError(`is ${header.format}, which is not read`);
  return header;
}

async function opened(bytes: Uint8Array, maxPixels: number): Promise<Sharp> {
  const { default: sharp } = await import("sharp");
  // `error` lets through what other programs show too, such as stray bytes between JPEG segments.
  return sharp(bytes, { failOn: "error", ignoreIcc: true, limitInputPixels: maxPixels });
}

/** With the name of the image in front of whatever is wrong with it. */
async function named<T>(name: string, read: () => T | Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    const problem = error instanceof ImageError ? error.message : problemWith(error);
    throw new ImageError(`${name}: ${problem}`, { cause: error });
  }
}

async function decodePlainJpeg(file: Sharp, shrink: Shrink): Promise<Image> {
  if (shrink > 1) return decodeColours(file, shrink);
  const { data, info } = await file.raw().toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, data };
}

async function decodeColours(file: Sharp, shrink: Shrink): Promise<Image> {
  const upright = (await shrunk(file, shrink)).autoOrient();
  const colour = upright.toColourspace("srgb").removeAlpha();
  const { data, info } = await colour.raw({ depth: "uchar" }).toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, data };
}

/** Smaller by the JPEG's own cosine transform. Rounded down, since sharp scales afterwards where it is asked for more. */
async function shrunk(file: Sharp, shrink: Shrink): Promise<Sharp> {
  if (shrink === 1) return file;
  const { format, autoOrient } = await file.metadata();
  if (format !== "jpeg") return file;
  // In the turned image: sharp turns first, wherever that is asked for.
  const { width, height } = autoOrient;
  return file.resize(Math.floor(width / shrink), Math.floor(height / shrink), { fit: "fill" });
}

async function decodeInks(file: Sharp): Promise<Image> {
  const inks = file.autoOrient().pipelineColourspace("cmyk").toColourspace("cmyk");
  const { data, info } = await inks.raw({ depth: "uchar" }).toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, data: cmykToRgb(data, info.channels) };
}

async function readImage(file: string): Promise<Uint8Array> {
  try {
    const { size } = await stat(file);
    if (size > MAX_FILE)
      throw new ImageError(`${file}: ${size} bytes is more than an image file may have (${MAX_FILE})`);
    return await readFile(file);
  } catch (error) {
    if (error instanceof ImageError) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new ImageError(`${file}: ${FILE_PROBLEMS[code] ?? `can't be read (${code})`}`, { cause: error });
  }
}

const FILE_PROBLEMS: Readonly<Record<string, string>> = {
  ENOENT: "no such file",
  EISDIR: "a folder, not an image",
  EACCES: "may not be read",
};

/** The decoder's message in our words, with the first line of its own. */
function problemWith(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  // It began as one that is read.
  if (/unsupported image format/i.test(text)) return "damaged or cut short (its header can't be read)";
  const detail = text.split("\n", 1)[0]!.replace(/^Input (?:buffer|file) has corrupt header: /, "");
  return `damaged or cut short (${detail.replace(/[.:\s]+$/, "")})`;
}

/** Without a profile: each ink takes its share of what black leaves, in Pillow's rounding. */
function cmykToRgb(data: Uint8Array, channels: number): Uint8Array {
  const pixels = data.length / channels;
  const rgb = new Uint8Array(pixels * 3);
  for (let i = 0, from = 0; i < pixels; i++, from += channels) {
    const light = 255 - data[from + 3]!;
    for (let ink = 0; ink < 3; ink++) {
      const product = data[from + ink]! * light + 128;
      rgb[i * 3 + ink] = light - (((product >> 8) + product) >> 8);
    }
  }
  return rgb;
}
