/**
 * What a compiled `.onnx` says of itself in `metadata_props`, so that the file alone classifies a photograph.
 *
 * No Node API here: the compiler writes it in a browser too.
 */
import type { Model, Preprocess } from "./model.js";

export const METADATA_KEYS = {
  /** JSON of {@link Preprocess}. */
  preprocess: "resnetc.preprocess",
  /** JSON: the class names in order. */
  labels: "resnetc.labels",
  /** The network's name: `ResNet50`. */
  network: "resnetc.network",
  /** `detection` where the model is a detector; absent for others. */
  task: "resnetc.task",
  /** Of a detector: `inclusive` boxes end with their last pixel (x2 - x1 + 1 wide), `exclusive` ones behind it. */
  boxes: "resnetc.boxes",
  /** JSON of {@link WeightsOrigin}: where the weights came from. Absent in models without weights. */
  weights: "resnetc.weights",
  /** Version of this layout. */
  version: "resnetc.version",
} as const;

const VERSION = "1";

/** Characters of a class's name. */
const LONGEST_LABEL = 1000;

/** Where a model's weights came from: the same weights give the same bytes, so no file is named. Scores of random ones mean nothing. */
export interface WeightsOrigin {
  readonly from: "random" | "given" | "training";
  /** Layers that are random beside the others: a head that began anew. */
  readonly random?: readonly string[];
}

export interface ModelMetadata {
  readonly network?: string;
  readonly preprocess?: Preprocess;
  readonly labels?: readonly string[];
  /** Present in detectors. */
  readonly detection?: NonNullable<Model["detection"]>;
  readonly weights?: WeightsOrigin;
}

/** The `metadata_props` of a model, in the order in which they are written. */
export function modelMetadata(
  preprocess: Preprocess | undefined,
  labels: readonly string[] | undefined,
  network: string,
  detection?: Model["detection"],
  weights?: WeightsOrigin,
): Record<string, string> {
  return {
    [METADATA_KEYS.network]: network,
    ...(preprocess && { [METADATA_KEYS.preprocess]: JSON.stringify(preprocess) }),
    ...(labels && { [METADATA_KEYS.labels]: JSON.stringify(labels) }),
    ...(detection && { [METADATA_KEYS.task]: "detection", [METADATA_KEYS.boxes]: detection.boxes }),
    ...(weights && { [METADATA_KEYS.weights]: JSON.stringify(weights) }),
    [METADATA_KEYS.version]: VERSION,
  };
}

/**
 * Reads {@link modelMetadata} back. What is absent stays undefined: a model that others made has none of it.
 *
 * @throws {Error} one line naming the key whose value is damaged
 */
export function parseMetadata(metadata: Readonly<Record<string, string>>): ModelMetadata {
  const network = metadata[METADATA_KEYS.network];
  const preprocess = parse(metadata, METADATA_KEYS.preprocess, isPreprocess);
  const labels = parse(metadata, METADATA_KEYS.labels, isLabels);
  const long = labels?.find((label) => label.length > LONGEST_LABEL);
  if (long !== undefined) {
    throw new Error(
      `metadata ${METADATA_KEYS.labels} has a name of ${long.length} characters; at most ${LONGEST_LABEL}`,
    );
  }
  const detection = parseDetection(metadata);
  const weights = parse(metadata, METADATA_KEYS.weights, isOrigin);
  return {
    ...(network !== undefined && { network }),
    ...(preprocess && { preprocess }),
    ...(labels && { labels }),
    ...(detection && { detection }),
    ...(weights && { weights }),
  };
}

function parseDetection(metadata: Readonly<Record<string, string>>): ModelMetadata["detection"] {
  if (word(metadata, METADATA_KEYS.task, ["detection"]) === undefined) return undefined;
  const boxes = word(metadata, METADATA_KEYS.boxes, ["inclusive", "exclusive"]);
  if (boxes === undefined) throw new Error(`metadata ${METADATA_KEYS.boxes} is missing`);
  return { boxes };
}

function word<const T extends string>(
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

function parse<T>(
  metadata: Readonly<Record<string, string>>,
  key: string,
  valid: (value: unknown) => value is T,
): T | undefined {
  const text = metadata[key];
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error(`metadata ${key} is not JSON`);
  }
  if (!valid(value)) throw new Error(`metadata ${key} does not have the form that resnetc writes`);
  return value;
}

/** Of a file's metadata. @throws Error where it is not what {@link modelMetadata} writes */
export function originIn(metadata: Readonly<Record<string, string>>): WeightsOrigin | undefined {
  return parse(metadata, METADATA_KEYS.weights, isOrigin);
}

function isOrigin(value: unknown): value is WeightsOrigin {
  if (typeof value !== "object" || value === null) return false;
  const { from, random } = value as Record<string, unknown>;
  return ["random", "given", "training"].includes(from as string) && (random === undefined || isLabels(random));
}

function isLabels(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((label) => typeof label === "string");
}

function isPreprocess(value: unknown): value is Preprocess {
  if (typeof value !== "object" || value === null) return false;
  const { name, resize, centerCrop, interpolation, color, range, mean, std, padTo } = value as Record<string, unknown>;
  return (
    typeof name === "string" &&
    (resize === undefined || isResize(resize)) &&
    (centerCrop === undefined || isSize(centerCrop)) &&
    (padTo === undefined || isLength(padTo)) &&
    ["nearest", "bilinear", "bicubic"].includes(interpolation as string) &&
    ["rgb", "bgr", "grey"].includes(color as string) &&
    typeof range === "number" &&
    Number.isFinite(range) &&
    range > 0 &&
    areNumbers(mean, color === "grey" ? 1 : 3) &&
    areNumbers(std, color === "grey" ? 1 : 3) &&
    std.every((deviation) => deviation !== 0)
  );
}

function isResize(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (!("shorter" in value)) return "to" in value && isSize(value.to);
  const { shorter, longest, like } = value as Record<string, unknown>;
  return (
    isLength(shorter) &&
    (longest === undefined || isLength(longest)) &&
    (like === undefined || ["opencv", "torch", "pillow"].includes(like as string))
  );
}

function isSize(value: unknown): boolean {
  return Array.isArray(value) && value.length === 2 && value.every(isLength);
}

function isLength(value: unknown): boolean {
  return typeof value === "number" && Number.isInteger(value) && value > 0;
}

function areNumbers(value: unknown, count: number): value is readonly number[] {
  return Array.isArray(value) && value.length === count && value.every((n) => Number.isFinite(n));
}
