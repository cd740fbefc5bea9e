/** Writes safetensors files: the format of our own weights and checkpoints. */
import zlib from "node:zlib";
import { writeWhole } from "../files.js";
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

/**
 * Writes the tensors in their order, with a checksum of all data among the metadata; the same tensors give the same
 * bytes. Data begin at a multiple of 8 bytes. Whole or not at all; throws a FileError.
 */
export async function writeSafetensors(
  path: string,
  tensors: readonly WrittenTensor[],
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  await writeWhole(path, safetensorsChunks(tensors, metadata));
}

/** The file's bytes in order. Throws where a tensor's data don't have its shape: a mistake of the caller. */
export function* safetensorsChunks(
  tensors: readonly WrittenTensor[],
  metadata: Readonly<Record<string, string>> = {},
): Generator<Uint8Array> {
  let crc = 0;
  for (const tensor of tensors) {
    const bytes = tensorBytes(tensor);
    // Of no bytes at all, zlib gives 0 and forgets what came before.
    if (bytes.length > 0) crc = zlib.crc32(bytes, crc);
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
  const text = Buffer.from(JSON.stringify(header));
  const padded = Buffer.alloc(Math.ceil(text.length / 8) * 8, " ");
  text.copy(padded);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  yield length;
  yield padded;
}

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
