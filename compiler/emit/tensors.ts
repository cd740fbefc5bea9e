/** Tensor data as the bytes that ONNX stores: little-endian, row-major. */
import type { Constant, DataType } from "../ir/types.js";
import { halfBits } from "./float16.js";

const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** fp32 values as `dtype`; fp32 itself is not copied. fp16 rounds to nearest even; what becomes a whole number is one. */
export function floatBytes(values: Float32Array, dtype: DataType): Uint8Array {
  if (dtype === "float32") return littleEndian(values);
  if (dtype === "float64") return littleEndian(Float64Array.from(values));
  if (dtype === "int8") return littleEndian(Int8Array.from(values));
  if (dtype === "int32") return littleEndian(Int32Array.from(values));
  if (dtype !== "float16") throw new TypeError(`a parameter can't be ${dtype}`);
  return littleEndian(halfBits(values));
}

export function constantBytes(data: Constant["data"]): Uint8Array {
  return littleEndian(data);
}

/** Numbers as an array of this type's elements. */
export function numberBytes(numbers: readonly number[], dtype: DataType): Uint8Array {
  switch (dtype) {
    case "int64":
      return littleEndian(BigInt64Array.from(numbers, BigInt));
    case "float64":
      return littleEndian(Float64Array.from(numbers));
    case "int32":
      return littleEndian(Int32Array.from(numbers));
    case "int8":
      return littleEndian(Int8Array.from(numbers));
    case "uint8":
    case "bool":
      return Uint8Array.from(numbers);
    default:
      return floatBytes(Float32Array.from(numbers), dtype);
  }
}

type Numbers = Constant["data"] | Uint16Array;

function littleEndian(data: Numbers): Uint8Array {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (LITTLE_ENDIAN || data.BYTES_PER_ELEMENT === 1) return bytes;
  const size = data.BYTES_PER_ELEMENT;
  return bytes.map((_, index) => bytes[index - (index % size) + (size - 1 - (index % size))]!);
}
