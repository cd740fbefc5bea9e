/** Netpbm's formats (.pbm, .pgm, .ppm), as text and as bytes, of 8 or 16 bits: what GTSRB and many older sets are in. */
import { roundHalfEven } from "../../compiler/rounding.js";
import { ImageError, type Image } from "./image.js";

export interface PnmHeader {
  readonly width: number;
  readonly height: number;
  /** 1 grey, 3 colour. */
  readonly channels: 1 | 3;
  readonly isText: boolean;
  /** A bit a pixel, where 1 is black. */
  readonly isBits: boolean;
  /** The value of white. */
  readonly white: number;
  /** Where the values begin. */
  readonly start: number;
}

/** Of a header's number. */
const MOST_DIGITS = 10;

/** @throws {ImageError} naming no file */
export function readPnmHeader(bytes: Uint8Array): PnmHeader {
  const number = bytes[1]! - 48;
  const isBits = number === 1 || number === 4;
  const cursor = new Cursor(bytes, 2);
  const [width, height] = [cursor.number(), cursor.number()];
  const white = isBits ? 1 : cursor.number();
  if (width < 1 || height < 1 || white < 1 || white > 65535) {
    throw new ImageError(`damaged or cut short (a PNM of ${width}x${height} and levels up to ${white})`);
  }
  const channels = number === 3 || number === 6 ? 3 : 1;
  // One blank, then the values.
  return { width, height, channels, isText: number <= 3, isBits, white, start: cursor.at + 1 };
}

/** @throws {ImageError} naming no file, where values are missing or none */
export function decodePnm(bytes: Uint8Array, header: PnmHeader): Image {
  const { width, height, channels } = header;
  const next = header.isText ? textValues(bytes, header) : binaryValues(bytes, header);
  const data = new Uint8Array(width * height * 3);
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let channel = 0; channel < 3; channel++, to++) {
        if (channel >= channels) data[to] = data[to - 1]!;
        else data[to] = level(next(y, x, channel), header);
      }
    }
  }
  return { width, height, data };
}

/** 0 to 255, in Pillow's rounding; but as elsewhere, of 16 grey bits the upper 8. */
function level(value: number, { white, isBits, isText, channels }: PnmHeader): number {
  if (isBits) return value === 0 ? 255 : 0;
  if (value > white && isText) throw new ImageError(`damaged (a PNM with a level of ${value}, and white at ${white})`);
  if (white === 255) return value;
  const share = Math.min(1, value / white);
  return white > 255 && channels === 1 ? roundHalfEven(share * 65535) >> 8 : roundHalfEven(share * 255);
}

type Values = (row: number, column: number, channel: number) => number;

function binaryValues(bytes: Uint8Array, { width, height, channels, isBits, white, start }: PnmHeader): Values {
  const step = white > 255 ? 2 : 1;
  const stride = isBits ? Math.ceil(width / 8) : width * channels * step;
  if (start + stride * height > bytes.length)
    throw new ImageError("damaged or cut short (a PNM without all of its pixels)");
  if (isBits) return (y, x) => (bytes[start + y * stride + (x >> 3)]! >> (7 - (x & 7))) & 1;
  return (y, x, channel) => {
    const at = start + y * stride + (x * channels + channel) * step;
    return step === 1 ? bytes[at]! : bytes[at]! * 256 + bytes[at + 1]!;
  };
}

/** In the order in which they are asked for. */
function textValues(bytes: Uint8Array, { isBits, start }: PnmHeader): Values {
  const cursor = new Cursor(bytes, start - 1);
  return isBits ? () => cursor.bit() : () => cursor.number();
}

/** Numbers in a text with comments. */
class Cursor {
  readonly #bytes: Uint8Array;
  at: number;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.at = at;
  }

  number(): number {
    this.#skipBlanks();
    let value = 0;
    let digits = 0;
    for (; isDigit(this.#bytes[this.at]) && digits < MOST_DIGITS; digits++) value = value * 10 + this.#digit();
    if (digits === 0 || digits === MOST_DIGITS)
      throw new ImageError("damaged or cut short (a PNM without its numbers)");
    return value;
  }

  /** Bits need no blanks between them. */
  bit(): number {
    this.#skipBlanks();
    if (!isDigit(this.#bytes[this.at])) throw new ImageError("damaged or cut short (a PNM without all of its pixels)");
    return this.#digit();
  }

  #digit(): number {
    return this.#bytes[this.at++]! - 48;
  }

  #skipBlanks(): void {
    for (;;) {
      const byte = this.#bytes[this.at];
      if (byte === 35) while (this.at < this.#bytes.length && this.#bytes[this.at] !== 10) this.at++;
      else if (byte === 32 || (byte !== undefined && byte >= 9 && byte <= 13)) this.at++;
      else return;
    }
  }
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 48 && byte <= 57;
}
