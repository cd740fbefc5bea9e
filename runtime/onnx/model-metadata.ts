/** What a model says of itself, of a path or of bytes. */
import type { ModelMetadata } from "../../compiler/metadata.js";
import { metadataOf } from "./metadata-of.js";
import { readModelInfo } from "./model-info.js";

/**
 * @param name for messages
 * @throws {SessionError} one line
 */
export function readModelMetadata(model: string | Uint8Array, name: string): ModelMetadata {
  return metadataOf(readModelInfo(model), name);
}
