/** Half precision at the border of a session: ONNX Runtime holds it as its 16 bits. */
import { getFloat16, setFloat16 } from "@petamoriken/float16";

/** Bits of the nearest half-precision numbers. */
export function toFloat16(values: Float32Array): Uint16Array {
  const bits = new Uint16Array(values.length);
  const view = new DataView(bits.buffer);
  for (let i = 0; i < values.length; i++) setFloat16(view, 2 * i, values[i]!, LITTLE_ENDIAN);
  return bits;
}

/** @param values bits of half-precision numbers, or a Float16Array, which newer versions of Node have */
export function toFloat32(values: Uint16Array | Iterable<number>): Float32Array {
  if (!(values instanceof Uint16Array)) return Float32Array.from(values);
  const view = new DataView(values.buffer, values.byteOffset, values.byteLength);
  return Float32Array.from(values, (_, i) => getFloat16(view, 2 * i, LITTLE_ENDIAN));
}

/** Typed arrays have the machine's byte order; a DataView has to be told. */
const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
