/**
 * Large messages in Protocol Buffers' wire format without copying their data.
 *
 * A message's encoding is the concatenation of its fields' encodings, in any split. So everything but tensor data is
 * encoded by onnx-proto, and the data's bytes stand between those pieces as they are, made only when they are
 * written: a model of any size takes the memory of its largest tensor.
 */

/** Bytes of a known number that are made when asked for. */
export interface Piece {
  readonly byteLength: number;
  bytes(): Uint8Array;
}

export function piece(bytes: Uint8Array): Piece {
  return { byteLength: bytes.byteLength, bytes: () => bytes };
}

/** A field with a length (a message, or bytes): its tag, its length, and its content in pieces. */
export function field(number: number, content: readonly Piece[]): readonly Piece[] {
  const LENGTH_DELIMITED = 2;
  const head = [...varint(number * 8 + LENGTH_DELIMITED), ...varint(totalLength(content))];
  return [piece(Uint8Array.from(head)), ...content];
}

export function totalLength(pieces: readonly Piece[]): number {
  return pieces.reduce((total, each) => total + each.byteLength, 0);
}

/** The pieces' bytes, one after the other; can be gone through again, which makes them again. */
export function chunks(pieces: readonly Piece[]): Iterable<Uint8Array> {
  return {
    *[Symbol.iterator]() {
      for (const each of pieces) yield each.bytes();
    },
  };
}

/** All chunks as one array. */
export function concat(parts: Iterable<Uint8Array>, byteLength: number): Uint8Array {
  const whole = new Uint8Array(byteLength);
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.byteLength;
  }
  return whole;
}

/** Seven bits a byte, the lowest first; lengths above 32 bits too. */
function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) + 0x80);
    rest = Math.floor(rest / 0x80);
  }
  return [...bytes, rest];
}
