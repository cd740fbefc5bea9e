/** What a JPEG says of itself before its data, read in microseconds: opening a decoder for it takes a tenth of the decoding. */

export interface JpegHeader {
  readonly width: number;
  readonly height: number;
  /** 1 grey, 3 colour, 4 inks. */
  readonly components: number;
  /** Says how the camera was held, perhaps. */
  readonly hasExif: boolean;
}

const START = 0xd8;
const EXIF_SEGMENT = 0xe1;
/** Segments without a length: fill bytes, restart markers, TEM. */
const isBare = (marker: number) => marker === 0xff || marker === 0x01 || (marker >= 0xd0 && marker <= 0xd7);
/** SOF0 to SOF15 but DHT, JPG and DAC: the frame header. */
const isFrame = (marker: number) => marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);

/** Undefined where the bytes are no JPEG, or not one whose segments can be followed to the frame header. */
export function jpegHeader(bytes: Uint8Array): JpegHeader | undefined {
  if (bytes.length < 4 || bytes[0] !== 0xff || bytes[1] !== START) return undefined;
  let hasExif = false;
  for (let at = 2; at + 4 <= bytes.length;) {
    if (bytes[at] !== 0xff) return undefined;
    const marker = bytes[at + 1]!;
    if (isBare(marker)) {
      at += marker === 0xff ? 1 : 2;
      continue;
    }
    const length = word(bytes, at + 2);
    if (isFrame(marker)) {
      if (at + 10 > bytes.length || bytes[at + 4] !== 8) return undefined;
      const [height, width] = [word(bytes, at + 5), word(bytes, at + 7)];
      // A height of 0 is given after the data.
      if (width === 0 || height === 0) return undefined;
      return { width, height, components: bytes[at + 9]!, hasExif };
    }
    if (marker === EXIF_SEGMENT) hasExif = true;
    if (length < 2) return undefined;
    at += 2 + length;
  }
  return undefined;
}

function word(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!;
}
