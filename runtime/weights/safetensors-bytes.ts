/** The bytes of safetensors files: the format of our own weights and checkpoints. */
import type { Crc32 } from "./checksum.js";
import { ELEMENT_SIZE } from "./elements.js";
import { CHECKSUM_KEY, SAFETENSORS_TYPES } from "./safetensors.js";
import type { StoredType, TensorInfo } from "./source.js";
import { elementCount } from "./strided.js";

/** Elements of a tensor; of fp16 and bf16 the bits, in a Uint16Array. */
export type TensorData =
  Float64Array | Float32Array | Uint16Array | BigInt64Array | Int32Array | Int16Array | Int8Array | Uint8Array;

/** A tensor to be written. */
export interface WrittenTensor extends TensorInfo {
  /** Its elements, row-major (fp16 and bf16 as their bits). Asked for twice, so that a network need not fit in memory. */
  data(): TensorData;
}

const TYPE_NAMES = new Map(Object.entries(SAFETENSORS_TYPES).map(([name, dtype]) => [dtype, name]));

/** The file's bytes in order. Throws where a tensor's data don't have its shape: a mistake of the caller. */
export function* safetensorsBytes(
  tensors: readonly WrittenTensor[],
  metadata: Readonly<Record<string, string>>,
  crc32: Crc32,
): Generator<Uint8Array> {
  let crc = 0;
  for (const tensor of tensors) {
    const bytes = tensorBytes(tensor);
    // Of no bytes at all, zlib gives 0 and forgets what came before.
    if (bytes.length > 0) crc = crc32(bytes, crc);
  }
  yield* safetensorsHeader(tensors, { ...metadata, [CHECKSUM_KEY]: crc.toString(16).padStart(8, "0") });
  for (const tensor of tensors) yield tensorBytes(tensor);
}

/** What stands before the data of these tensors: a multiple of 8 bytes. */
export function* safetensorsHeader(
  tensors: readonly TensorInfo[],
  metadata?: Readonly<Record<string, string>>,
): Generator<Uint8Array> {
  const header: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  if (metadata) header["__metadata__"] = metadata;
  let end = 0;
  for (const { name, dtype, shape } of tensors) {
    if (name in header) throw new Error(`two tensors are named ${name}`);
    const begin = end;
    end += byteLength(dtype, shape);
    header[name] = { dtype: TYPE_NAMES.get(dtype), shape, data_offsets: [begin, end] };
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const padded = new Uint8Array(Math.ceil(text.length / 8) * 8).fill(SPACE);
  padded.set(text);
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(padded.length), true);
  yield length;
  yield padded;
}

const SPACE = 0x20;

function byteLength(dtype: StoredType, shape: readonly number[]): number {
  return elementCount(shape) * ELEMENT_SIZE[dtype];
}

/** Little-endian, as every machine that Node runs on is. */
export function tensorBytes(tensor: WrittenTensor): Uint8Array {
  const { buffer, byteOffset, byteLength: length } = tensor.data();
  if (length !== byteLength(tensor.dtype, tensor.shape)) {
    throw new Error(`${tensor.name} has ${length} bytes, not those of ${tensor.dtype} [${tensor.shape.join(", ")}]`);
  }
  return new Uint8Array(buffer, byteOffset, length);
}
