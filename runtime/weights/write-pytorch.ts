/** Writes state_dicts as torch.save does: a zip of a pickle and one entry a tensor. */
import { pickleStateDict } from "./pickle/writer.js";
import type { StoredType } from "./source.js";
import { denseStrides, elementCount } from "./strided.js";
import { archiveChunks, type WrittenEntry } from "./write-archive.js";
import { tensorBytes, type WrittenTensor } from "./write-safetensors.js";

const STORAGE_OF_DTYPE: Readonly<Record<StoredType, string>> = {
  float64: "DoubleStorage",
  float32: "FloatStorage",
  float16: "HalfStorage",
  bfloat16: "BFloat16Storage",
  int64: "LongStorage",
  int32: "IntStorage",
  int16: "ShortStorage",
  int8: "CharStorage",
  uint8: "ByteStorage",
  bool: "BoolStorage",
};

/** The file's bytes in order, one tensor in memory at a time. The same tensors give the same bytes. */
export function* stateDictChunks(tensors: readonly WrittenTensor[]): Generator<Uint8Array> {
  const pickle = pickleStateDict(
    tensors.map(({ name, dtype, shape }, index) => ({
      name,
      key: String(index),
      storage: STORAGE_OF_DTYPE[dtype],
      shape,
      strides: denseStrides(shape),
      count: elementCount(shape),
    })),
  );
  const entries: WrittenEntry[] = [
    { name: "archive/data.pkl", data: () => pickle },
    { name: "archive/byteorder", data: () => Buffer.from("little") },
    ...tensors.map((tensor, index) => ({ name: `archive/data/${index}`, data: () => tensorBytes(tensor) })),
    { name: "archive/version", data: () => Buffer.from("3\n") },
  ];
  yield* archiveChunks(entries);
}
