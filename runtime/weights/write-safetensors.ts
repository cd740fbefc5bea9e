/** Writes safetensors files. */
import zlib from "node:zlib";
import { writeWhole } from "../files.js";
import { safetensorsBytes, type WrittenTensor } from "./safetensors-bytes.js";

export { safetensorsHeader, tensorBytes, type TensorData, type WrittenTensor } from "./safetensors-bytes.js";

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
export function safetensorsChunks(
  tensors: readonly WrittenTensor[],
  metadata: Readonly<Record<string, string>> = {},
): Generator<Uint8Array> {
  return safetensorsBytes(tensors, metadata, zlib.crc32);
}
