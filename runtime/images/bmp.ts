/**
 * Windows bitmaps, as Pillow reads them: 1, 4, 8, 16, 24 and 32 bits, plain, run-length coded or with masks, the first
 * row at the bottom or at the top. A fourth channel is left out, as everywhere.
 */
import { ImageError, type Image } from "./image.js";

/** What the headers say; whatever follows them is read in {@link decodeBmp}. */
export interface BmpHeader {
  readonly width: number;
  readonly height: number;
  readonly fromTop: boolean;
  readonly bits: number;
  readonly compression: number;
  /** Where the pixels begin. */
  readonly start: number;
  /** Three bytes a colour; grey levels where the file has no colour of its own. */
  readonly palette: Uint8Array;
  readonly masks: readonly [red: number, green: number, blue: number];
}

const [PLAIN, RLE8, RLE4, MASKS] = [0, 1, 2, 3];
const WITH_MASKS = new Set([MASKS, 6]);
const OS2 = 12;
const HEADERS = new Set([OS2, 40, 52, 56, 64, 108, 124]);
const DEPTHS = new Set([1, 4, 8, 16, 24, 32]);
const FILE_HEADER = 14;

/** @throws {ImageError} naming no file */
export function readBmpHeader(bytes: Uint8Array): BmpHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return damageAsImageError(() => {
    const size = view.getUint32(FILE_HEADER, true);
    if (!HEADERS.has(size)) throw new ImageError(`a BMP with a header of ${size} bytes is not read`);
    const isOld = size === OS2;
    const width = isOld ? view.getUint16(18, true) : view.getInt32(18, true);
    const signed = isOld ? view.getUint16(20, true) : view.getInt32(22, true);
    const bits = view.getUint16(isOld ? 24 : 28, true);
    const compression = isOld ? PLAIN : view.getUint32(30, true);
    const height = Math.abs(signed);
    if (width < 1 || height < 1) throw new ImageError(`damaged or cut short (a BMP of ${width}x${signed})`);
    checkCoding(bits, compression, size);
    const colours = (isOld ? 0 : view.getUint32(46, true)) || 2 ** Math.min(bits, 8);
    const palette = bits > 8 ? GREY : readPalette(bytes, FILE_HEADER + size, isOld ? 3 : 4, colours);
    const offset = view.getUint32(10, true);
    const behind = FILE_HEADER + size + (bits <= 8 ? colours * (isOld ? 3 : 4) : 0);
    const isMisplaced = offset === 0 || (offset === FILE_HEADER + size && bits <= 8);
    const hasMasks = WITH_MASKS.has(compression);
    const masks = hasMasks ? ([54, 58, 62].map((at) => view.getUint32(at, true)) as [number, number, number]) : NONE;
    return {
      width,
      height,
      fromTop: signed < 0,
      bits,
      compression,
      start: isMisplaced ? behind : offset,
      palette,
      masks: masks.some((mask) => mask !== 0) ? masks : (USUAL.get(bits) ?? NONE),
    };
  });
}

type Masks = BmpHeader["masks"];
const NONE: Masks = [0, 0, 0];
const USUAL: ReadonlyMap<number, Masks> = new Map<number, Masks>([
  [16, [0x7c00, 0x3e0, 0x1f]],
  [24, [0xff0000, 0xff00, 0xff]],
  [32, [0xff0000, 0xff00, 0xff]],
]);
const GREY = Uint8Array.from({ length: 3 * 256 }, (_, i) => Math.floor(i / 3));

function checkCoding(bits: number, compression: number, header: number): void {
  if (!DEPTHS.has(bits)) throw new ImageError(`a BMP of ${bits} bits a pixel is not read`);
  const fits =
    compression === PLAIN ||
    (compression === RLE8 && bits === 8) ||
    (compression === RLE4 && bits === 4) ||
    // OS/2 gave other meanings to the numbers from 3.
    (WITH_MASKS.has(compression) && (bits === 16 || bits === 32) && header !== 64);
  if (!fits) throw new ImageError(`a BMP of compression ${compression} at ${bits} bits is not read`);
}

/** Blue, green, red of each colour, and a byte of nothing where it takes four; what the file leaves out is grey. */
function readPalette(bytes: Uint8Array, start: number, step: number, colours: number): Uint8Array {
  const palette = GREY.slice();
  for (let i = 0; i < Math.min(colours, 256); i++) {
    const from = start + i * step;
    if (from + 3 > bytes.length) throw new RangeError("palette");
    palette.set([bytes[from + 2]!, bytes[from + 1]!, bytes[from]!], i * 3);
  }
  return palette;
}

/** @throws {ImageError} naming no file, where pixels are missing */
export function decodeBmp(bytes: Uint8Array, header: BmpHeader): Image {
  const { width, height, bits, compression, fromTop } = header;
  return damageAsImageError(() => {
    const data = new Uint8Array(width * height * 3);
    const isCoded = compression === RLE8 || compression === RLE4;
    const indices = isCoded ? runLengths(bytes, header) : undefined;
    const stride = Math.floor((width * bits + 31) / 32) * 4;
    const needed = header.start + (height - 1) * stride + Math.ceil((width * bits) / 8);
    if (!indices && needed > bytes.length) throw new RangeError("pixels");
    for (let row = 0; row < height; row++) {
      const out = data.subarray((fromTop ? row : height - 1 - row) * width * 3).subarray(0, width * 3);
      if (indices) paint(indices.subarray(row * width, (row + 1) * width), 8, header.palette, out);
      else if (bits <= 8) paint(bytes.subarray(header.start + row * stride), bits, header.palette, out);
      else unmask(bytes, header.start + row * stride, bits / 8, header.masks, out);
    }
    return { width, height, data };
  });
}

/** Indices of a palette, several in a byte perhaps, the first in the highest bits. */
function paint(row: Uint8Array, bits: number, palette: Uint8Array, out: Uint8Array): void {
  const [each, mask] = [8 / bits, 2 ** bits - 1];
  for (let x = 0, to = 0; to < out.length; x++, to += 3) {
    const shift = 8 - bits * ((x % each) + 1);
    const from = 3 * ((row[Math.floor(x / each)]! >> shift) & mask);
    out[to] = palette[from]!;
    out[to + 1] = palette[from + 1]!;
    out[to + 2] = palette[from + 2]!;
  }
}

/** Colours that take some of the bits of a little-endian number; 5 bits become 8 as Pillow does it, rounded down. */
function unmask(bytes: Uint8Array, start: number, step: number, masks: Masks, out: Uint8Array): void {
  const channels = masks.map((mask) => {
    const shift = mask === 0 ? 0 : 31 - Math.clz32(mask & -mask);
    return { mask, shift, most: mask >>> shift };
  });
  for (let from = start, to = 0; to < out.length; from += step) {
    let value = 0;
    for (let i = step - 1; i >= 0; i--) value = ((value << 8) | bytes[from + i]!) >>> 0;
    for (const { mask, shift, most } of channels) {
      out[to++] = most === 0 ? 0 : Math.floor((((value & mask) >>> shift) * 255) / most);
    }
  }
}

/** Runs of equal pixels to an index for each, row by row as stored; what is jumped over is colour 0. */
function runLengths(bytes: Uint8Array, { width, height, start, compression }: BmpHeader): Uint8Array {
  const indices = new Uint8Array(width * height);
  const perByte = compression === RLE4 ? 2 : 1;
  let [at, x, y] = [start, 0, 0];
  const put = (index: number) => {
    if (x < width && y < height) indices[y * width + x] = index;
    x++;
  };
  /** The pixel of that number in bytes that begin somewhere. */
  const pixel = (from: number, number: number) => {
    const byte = bytes[from + Math.floor(number / perByte)]!;
    return perByte === 1 ? byte : number % 2 === 0 ? byte >> 4 : byte & 15;
  };
  for (;;) {
    if (at + 2 > bytes.length) {
      if (y >= height || (y === height - 1 && x >= width)) return indices;
      throw new RangeError("runs");
    }
    const [count, value] = [bytes[at]!, bytes[at + 1]!];
    at += 2;
    if (count > 0) {
      for (let i = 0; i < count; i++) put(pixel(at - 1, i % perByte));
    } else if (value === 0) {
      [x, y] = [0, y + 1];
    } else if (value === 1) {
      return indices;
    } else if (value === 2) {
      if (at + 2 > bytes.length) throw new RangeError("runs");
      x += bytes[at]!;
      y += bytes[at + 1]!;
      at += 2;
    } else {
      const length = Math.ceil(value / perByte);
      if (at + length > bytes.length) throw new RangeError("runs");
      for (let i = 0; i < value; i++) put(pixel(at, i));
      // To a multiple of two bytes.
      at += length + (length % 2);
    }
  }
}

/** Reading beyond the end is damage. */
function damageAsImageError<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof RangeError) throw new ImageError("damaged or cut short (a BMP without all of its pixels)");
    throw error;
  }
}
