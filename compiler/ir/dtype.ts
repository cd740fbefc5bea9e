import type { DataType } from "./types.js";

/** TensorProto.DataType of onnx.proto, and bytes of one element. */
const TYPES: Readonly<Record<DataType, { readonly code: number; readonly bytes: number }>> = {
  float32: { code: 1, bytes: 4 },
  uint8: { code: 2, bytes: 1 },
  int8: { code: 3, bytes: 1 },
  int32: { code: 6, bytes: 4 },
  int64: { code: 7, bytes: 8 },
  bool: { code: 9, bytes: 1 },
  float16: { code: 10, bytes: 2 },
  float64: { code: 11, bytes: 8 },
};

export function onnxType(dtype: DataType): number {
  return TYPES[dtype].code;
}

export function elementBytes(dtype: DataType): number {
  return TYPES[dtype].bytes;
}
