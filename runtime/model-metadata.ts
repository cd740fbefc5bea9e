/** What a model says of itself to those who run it. */
import { METADATA_KEYS, parseMetadata, type ModelMetadata } from "../compiler/metadata.js";
import { readModelInfo } from "./model-info.js";
import { SessionError } from "./onnxruntime.js";

/** Whether a box's x2 and y2 are its last pixel's, or lie behind it. */
export type BoxEnds = "inclusive" | "exclusive";

export interface CarriedMetadata extends ModelMetadata {
  /** Present in detectors. */
  readonly detection?: { readonly boxes: BoxEnds };
}

/**
 * @param name for messages
 * @throws {SessionError} one line
 */
export function readModelMetadata(model: string | Uint8Array, name: string): CarriedMetadata {
  const { metadata } = readModelInfo(model);
  try {
    const detection = parseDetection(metadata);
    return { ...parseMetadata(metadata), ...(detection && { detection }) };
  } catch (error) {
    throw new SessionError(`${name}: ${(error as Error).message}`, { cause: error });
  }
}

function parseDetection(metadata: Readonly<Record<string, string>>): CarriedMetadata["detection"] {
  if (word(metadata, METADATA_KEYS.task, ["detection"]) === undefined) return undefined;
  const boxes = word<BoxEnds>(metadata, METADATA_KEYS.boxes, ["inclusive", "exclusive"]);
  if (boxes === undefined) throw new Error(`metadata ${METADATA_KEYS.boxes} is missing`);
  return { boxes };
}

function word<T extends string>(
  metadata: Readonly<Record<string, string>>,
  key: string,
  words: readonly T[],
): T | undefined {
  const text = metadata[key];
  const known = words.find((each) => each === text);
  if (text !== undefined && known === undefined) {
    throw new Error(`metadata ${key} is "${text.slice(0, 40)}", not ${words.join(" or ")}`);
  }
  return known;
}
