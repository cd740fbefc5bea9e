/** Picture files to RGB, the same pixels that Pillow's `Image.open(file).convert("RGB")` gives. */
import { readFile, stat } from "node:fs/promises";
import type { Metadata, Sharp } from "sharp";
import { ImageError, type Image } from "./image.js";
import { jpegHeader } from "./jpeg-header.js";

export interface DecodeOptions {
  /** A picture of more pixels is refused before any memory is spent on it. Default 100 million. */
  readonly maxPixels?: number;
  /** For messages, where the picture is given as bytes. */
  readonly name?: string;
}

const MAX_PIXELS = 100_000_000;
const MAX_FILE = 512 * 1024 * 1024;
const FORMATS = new Set(["jpeg", "png", "webp", "gif", "tiff"]);

/** A picture whose header was read. */
export interface OpenedImage {
  /** Upright, in pixels. */
  readonly width: number;
  readonly height: number;
  /**
   * @param shrink a JPEG is given 2, 4 or 8 times smaller in both directions, rounded down: faster, if not by as much;
   *   other formats come as they are
   * @throws {ImageError}
   */
  readonly decode: (shrink?: 1 | 2 | 4 | 8) => Promise<Image>;
}

/**
 * Decodes a JPEG, PNG, WebP, GIF (first frame) or TIFF (first page).
 *
 * - The EXIF orientation is applied, so that the picture stands as the camera was held.
 * - Grey becomes three equal channels; 16 bits become the upper 8.
 * - Alpha is dropped, as torchvision's loader does: transparent pixels show the colour stored under them.
 * - Colour profiles are not applied, and CMYK is converted by (1 - c)(1 - k), for the same reason.
 *
 * @throws {ImageError} one line naming the file: missing, empty, no picture, cut short, damaged or too large
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
  const bytes = typeof source === "string" ? await readPicture(source) : source;
  if (bytes.length === 0) throw new ImageError(`${name}: empty, not a picture`);

  const header = await readHeader(bytes, name);
  const { width, height } = header;
  if (width * height > maxPixels) throw new ImageError(`${name}: ${width}x${height} is more than ${maxPixels} pixels`);
  return {
    width,
    height,
    async decode(shrink = 1) {
      const { default: sharp } = await import("sharp");
      // `error` lets through what other programs show too, such as stray bytes between JPEG segments.
      const file = sharp(bytes, { failOn: "error", ignoreIcc: true, limitInputPixels: maxPixels });
      try {
        return await header.decode(file, shrink);
      } catch (error) {
        throw new ImageError(`${name}: ${problemWith(error)}`, { cause: error });
      }
    },
  };
}

interface Header {
  readonly width: number;
  readonly height: number;
  readonly decode: (file: Sharp, shrink: 1 | 2 | 4 | 8) => Promise<Image>;
}

async function readHeader(bytes: Uint8Array, name: string): Promise<Header> {
  const jpeg = jpegHeader(bytes);
  // The usual photograph needs no conversion, and asking for one that does nothing takes a third of the decoding.
  if (jpeg?.components === 3 && !jpeg.hasExif) return { ...jpeg, decode: decodePlainJpeg };

  const { default: sharp } = await import("sharp");
  let header: Metadata;
  try {
    // The header is read without a limit so that the message can give the size.
    header = await sharp(bytes, { limitInputPixels: false }).metadata();
  } catch (error) {
    throw new ImageError(`${name}: ${problemWith(error)}`, { cause: error });
  }
  if (!FORMATS.has(header.format)) {
    throw new ImageError(`${name}: ${header.format} pictures are not read; use JPEG, PNG, WebP, GIF or TIFF`);
  }
  const { width, height } = header.autoOrient;
  return { width, height, decode: header.space === "cmyk" ? decodeInks : decodeColours };
}

async function decodePlainJpeg(file: Sharp, shrink: 1 | 2 | 4 | 8): Promise<Image> {
  if (shrink > 1) return decodeColours(file, shrink);
  const { data, info } = await file.raw().toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, data };
}

async function decodeColours(file: Sharp, shrink: 1 | 2 | 4 | 8): Promise<Image> {
  const upright = (await shrunk(file, shrink)).autoOrient();
  const colour = upright.toColourspace("srgb").removeAlpha();
  const { data, info } = await colour.raw({ depth: "uchar" }).toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, data };
}

/** Smaller by the JPEG's own cosine transform. Rounded down, since sharp scales afterwards where it is asked for more. */
async function shrunk(file: Sharp, shrink: 1 | 2 | 4 | 8): Promise<Sharp> {
  if (shrink === 1) return file;
  const { format, width, height } = await file.metadata();
  if (format !== "jpeg") return file;
  return file.resize(Math.floor(width / shrink), Math.floor(height / shrink), { fit: "fill" });
}

async function decodeInks(file: Sharp): Promise<Image> {
  const inks = file.autoOrient().pipelineColourspace("cmyk").toColourspace("cmyk");
  const { data, info } = await inks.raw({ depth: "uchar" }).toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, data: cmykToRgb(data, info.channels) };
}

async function readPicture(file: string): Promise<Uint8Array> {
  try {
    const { size } = await stat(file);
    if (size > MAX_FILE) throw new ImageError(`${file}: ${size} bytes is more than a picture file may have`);
    return await readFile(file);
  } catch (error) {
    if (error instanceof ImageError) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new ImageError(`${file}: ${FILE_PROBLEMS[code] ?? `can't be read (${code})`}`, { cause: error });
  }
}

const FILE_PROBLEMS: Readonly<Record<string, string>> = {
  ENOENT: "no such file",
  EISDIR: "a folder, not a picture",
  EACCES: "may not be read",
};

/** The decoder's message in our words, with the first line of its own. */
function problemWith(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  if (/unsupported image format/i.test(text)) return "not a picture in a format that is read";
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
