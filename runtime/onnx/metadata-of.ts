/** What a model says of itself to those who run it. */
import { parseMetadata, type ModelMetadata } from "../../compiler/metadata.js";
import type { ModelInfo } from "./read-model.js";
import { SessionError } from "./session-error.js";

/** Whether a box's x2 and y2 are its last pixel's, or lie behind it. */
export type BoxEnds = NonNullable<ModelMetadata["detection"]>["boxes"];

/**
 * Of a model that was looked through.
 *
 * @param name for messages
 * @throws {SessionError} one line
 */
export function metadataOf({ metadata }: Pick<ModelInfo, "metadata">, name: string): ModelMetadata {
  try {
    return parseMetadata(metadata);
  } catch (error) {
    throw new SessionError(`${name}: ${(error as Error).message}`, { cause: error });
  }
}
