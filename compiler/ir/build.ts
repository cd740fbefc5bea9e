/** Making values and constants of the IR; ops/node.ts makes nodes. */
import type { Dim } from "./dim.js";
import type { Constant, DataType, TensorType, Value } from "./types.js";

let lastId = 0;

/** A new tensor, different from all others. */
export function value(type: TensorType, name: string): Value {
  lastId += 1;
  return { id: lastId, type, name };
}

export function tensor(shape: readonly Dim[], dtype: DataType = "float32"): TensorType {
  return { dtype, shape };
}

/** A constant; its data's type decides that of its elements. */
export function constant(data: Constant["data"], shape: readonly number[], name: string): Constant {
  return { value: value(tensor(shape, elementType(data)), name), data };
}

function elementType(data: Constant["data"]): DataType {
  if (data instanceof Float32Array) return "float32";
  if (data instanceof Float64Array) return "float64";
  if (data instanceof BigInt64Array) return "int64";
  if (data instanceof Int32Array) return "int32";
  if (data instanceof Int8Array) return "int8";
  return "uint8";
}
