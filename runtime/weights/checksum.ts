/** CRC-32 of what weight files hold. */
import type { Storage } from "./strided.js";

/** CRC-32 of bytes, which goes on from that of those before them: zlib's in Node, {@link crc32} elsewhere. */
export type Crc32 = (bytes: Uint8Array, before: number) => number;

/** Bytes that a checksum is computed over at a time. */
const CHUNK = 1 << 20;

/** CRC-32 of all bytes. */
export function checksum(storage: Storage, crc32: Crc32): number {
  let crc = 0;
  for (let offset = 0; offset < storage.byteLength; offset += CHUNK) {
    crc = crc32(storage.read(offset, Math.min(CHUNK, storage.byteLength - offset)), crc);
  }
  return crc >>> 0;
}

const POLYNOMIAL = 0xedb88320;
let table: Uint32Array | undefined;

function makeTable(): Uint32Array {
  return Uint32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    return crc;
  });
}

/** Where there is no zlib. */
export const crc32: Crc32 = (bytes, before) => {
  table ??= makeTable();
  let crc = ~before;
  for (const byte of bytes) crc = (crc >>> 8) ^ table[(crc ^ byte) & 0xff]!;
  return ~crc >>> 0;
};
