/** Element types of weight files: their sizes, and their widening to fp32. */
import { Float16Array } from "@petamoriken/float16";
import type { StoredType } from "./source.js";

/** Bytes of one element. */
export const ELEMENT_SIZE: Readonly<Record<StoredType, number>> = {
  float64: 8,
  float32: 4,
  float16: 2,
  bfloat16: 2,
  int64: 8,
  int32: 4,
  int16: 2,
  int8: 1,
  uint8: 1,
  bool: 1,
};

type Decoder = (buffer: ArrayBuffer) => Float32Array;

const DECODERS: Readonly<Record<StoredType, Decoder>> = {
  float64: (buffer) => new Float32Array(new Float64Array(buffer)),
  float32: (buffer) => new Float32Array(buffer),
  float16: (buffer) => {
    halves ??= halfTable();
    const bits = new Uint16Array(buffer);
    const values = new Float32Array(bits.length);
    for (let i = 0; i < bits.length; i++) values[i] = halves[bits[i] ?? 0] ?? 0;
    return values;
  },
  bfloat16: (buffer) => {
    const wide = new Uint32Array(buffer.byteLength / 2);
    new Uint16Array(buffer).forEach((bits, i) => (wide[i] = bits << 16));
    return new Float32Array(wide.buffer);
  },
  int64: (buffer) => Float32Array.from(new BigInt64Array(buffer), Number),
  int32: (buffer) => new Float32Array(new Int32Array(buffer)),
  int16: (buffer) => new Float32Array(new Int16Array(buffer)),
  int8: (buffer) => new Float32Array(new Int8Array(buffer)),
  uint8: (buffer) => new Float32Array(new Uint8Array(buffer)),
  bool: (buffer) => Float32Array.from(new Uint8Array(buffer), (byte) => (byte === 0 ? 0 : 1)),
};

/** Little-endian elements as fp32; int64 and fp64 are rounded. The bytes must own their buffer; fp32 shares it. */
export function widen(bytes: Uint8Array, dtype: StoredType): Float32Array {
  return DECODERS[dtype](bytes.buffer as ArrayBuffer);
}

let halves: Float32Array | undefined;

/** All 65,536 values of fp16: a table is a hundred times faster than a conversion each. */
function halfTable(): Float32Array {
  const bits = Uint16Array.from({ length: 1 << 16 }, (_, i) => i);
  return Float32Array.from(new Float16Array(bits.buffer));
}
