/** A weight file in memory. */
import type { TensorInfo, TensorSource } from "../../runtime/weights/source.js";

export interface MemoryTensor {
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

/** Tensors by name; numbers alone are a vector. */
export function memorySource(
  format: TensorSource["format"],
  tensors: Readonly<Record<string, MemoryTensor | readonly number[]>>,
): TensorSource {
  const all = new Map<string, TensorInfo & MemoryTensor>();
  for (const [name, tensor] of Object.entries(tensors)) {
    const { shape, values } = "values" in tensor && !Array.isArray(tensor) ? (tensor as MemoryTensor) : vector(tensor);
    all.set(name, { name, dtype: "float32", shape, values });
  }
  return {
    file: "memory.bin",
    format,
    tensors: all,
    metadata: {},
    read: (name) => Float32Array.from(all.get(name)!.values),
    close: () => undefined,
  };
}

function vector(values: unknown): MemoryTensor {
  const list = values as readonly number[];
  return { shape: [list.length], values: list };
}

/** Zeros of a shape. */
export function zeros(...shape: readonly number[]): MemoryTensor {
  return { shape, values: new Array<number>(shape.reduce((size, length) => size * length, 1)).fill(0) };
}
