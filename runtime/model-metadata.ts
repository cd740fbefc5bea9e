/** What a model says of itself to those who run it. */
import { parseMetadata, type ModelMetadata } from "../compiler/metadata.js";
import { readModelInfo } from "./model-info.js";
import { SessionError } from "./session-error.js";

/** Whether a box's x2 and y2 are its last pixel's, or lie behind it. */
export type BoxEnds = NonNullable<ModelMetadata["detection"]>["boxes"];

/**
 * @param name for messages
 * @throws {SessionError} one line
 */
export function readModelMetadata(model: string | Uint8Array, name: string): ModelMetadata {
  const { metadata } = readModelInfo(model);
  try {
    return parseMetadata(metadata);
  } catch (error) {
    throw new SessionError(`${name}: ${(error as Error).message}`, { cause: error });
  }
}
