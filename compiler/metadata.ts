/**
 * What a compiled `.onnx` says of itself in `metadata_props`, so that the file alone classifies a photograph.
 *
 * No Node API here: the compiler writes it in a browser too.
 */
import { own } from "../grammar/own.js";
import { fromVersion1, isPreprocessVersion1 } from "./metadata-version-1.js";
import type { Detection, Model, Preprocess } from "./model.js";
import { orderProblem } from "./preprocess.js";
import type { Word } from "./words/schema.js";
import { PREPROCESS_WORDS, type TransformSettings } from "./words/transforms.js";
import { accepts, expects } from "./words/values.js";

export const METADATA_KEYS = {
  /** JSON of {@link Preprocess}; of version 1, of a record that said the same (metadata-version-1.ts). */
  preprocess: "resnetc.preprocess",
  /** JSON: the class names in order. */
  labels: "resnetc.labels",
  /** The network's name: `ResNet50`. */
  network: "resnetc.network",
  /** `detection` where the model is a detector; absent for others. */
  task: "resnetc.task",
  /** Of a detector: `inclusive` boxes end with their last pixel (x2 - x1 + 1 wide), `exclusive` ones behind it. */
  boxes: "resnetc.boxes",
  /** Of a detector with masks: `grid`, its output `masks` [D, h, w] has probabilities on a grid over each box. */
  masks: "resnetc.masks",
  /** `center` where a mean image is subtracted that was cut with the middle of the image: no other view fits it. */
  views: "resnetc.views",
  /** `independent` where each class is a yes or no of its own: its logits go through a sigmoid. Absent: the graph tells. */
  scores: "resnetc.scores",
  /** JSON of {@link WeightsOrigin}: where the weights came from. Absent in models without weights. */
  weights: "resnetc.weights",
  /** Version of this layout. */
  version: "resnetc.version",
} as const;

const VERSION = "2";

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
  readonly detection?: Pick<Detection, "boxes" | "masks">;
  /** Present in models that subtract a mean image which was cut with the middle of the image. */
  readonly views?: NonNullable<Model["views"]>;
  /** Each class is a yes or no of its own. */
  readonly scores?: "independent";
  readonly weights?: WeightsOrigin;
}

/** The `metadata_props` of a model, in the order in which they are written. */
export function modelMetadata(
  preprocess: Preprocess | undefined,
  labels: readonly string[] | undefined,
  network: string,
  detection?: Model["detection"],
  weights?: WeightsOrigin,
  views?: Model["views"],
  scores?: ModelMetadata["scores"],
): Record<string, string> {
  return {
    [METADATA_KEYS.network]: network,
    ...(preprocess && { [METADATA_KEYS.preprocess]: JSON.stringify(preprocess) }),
    ...(labels && { [METADATA_KEYS.labels]: JSON.stringify(labels) }),
    ...(detection && { [METADATA_KEYS.task]: "detection", [METADATA_KEYS.boxes]: detection.boxes }),
    ...(detection?.masks && { [METADATA_KEYS.masks]: "grid" }),
    ...(views && { [METADATA_KEYS.views]: views }),
    ...(scores && { [METADATA_KEYS.scores]: scores }),
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
  const preprocess = parsePreprocess(metadata);
  const labels = parse(metadata, METADATA_KEYS.labels, isLabels);
  const long = labels?.find((label) => label.length > LONGEST_LABEL);
  if (long !== undefined) {
    throw new Error(
      `metadata ${METADATA_KEYS.labels} has a name of ${long.length} characters; at most ${LONGEST_LABEL}`,
    );
  }
  const detection = parseDetection(metadata);
  const views = word(metadata, METADATA_KEYS.views, ["center"]);
  const scores = word(metadata, METADATA_KEYS.scores, ["independent"]);
  const weights = parse(metadata, METADATA_KEYS.weights, isOrigin);
  return {
    ...(network !== undefined && { network }),
    ...(preprocess && { preprocess }),
    ...(labels && { labels }),
    ...(detection && { detection }),
    ...(views && { views }),
    ...(scores && { scores }),
    ...(weights && { weights }),
  };
}

function parsePreprocess(metadata: Readonly<Record<string, string>>): Preprocess | undefined {
  const key = METADATA_KEYS.preprocess;
  const read = parse(metadata, key, (value) => isList(value) || isPreprocessVersion1(value));
  const preprocess = read === undefined || isList(read) ? read : fromVersion1(read);
  const problem = preprocess && (settingsProblem(preprocess) ?? orderProblem(preprocess.transforms)?.message);
  if (problem !== undefined) throw new Error(`metadata ${key}: ${problem}`);
  return preprocess;
}

function isList(value: unknown): value is Preprocess {
  if (typeof value !== "object" || value === null) return false;
  const { name, transforms } = value as Record<string, unknown>;
  return typeof name === "string" && Array.isArray(transforms) && transforms.every(isTransform);
}

function isTransform(value: unknown): value is TransformSettings {
  return typeof value === "object" && value !== null && typeof (value as Record<string, unknown>)["kind"] === "string";
}

/** Why it can't be followed: a word that isn't known, or a setting that it doesn't take. */
function settingsProblem({ transforms }: Preprocess): string | undefined {
  for (const { kind, ...settings } of transforms) {
    const word = own<Word>(PREPROCESS_WORDS, kind);
    if (!word) return `no preprocessing has "${kind.slice(0, 40)}"`;
    const unknown = Object.keys(settings).find((name) => own(word.arguments, name) === undefined);
    if (unknown !== undefined) return `${kind} has no "${unknown.slice(0, 40)}"`;
    for (const [name, argument] of Object.entries(word.arguments)) {
      const value = settings[name];
      if (value === undefined && argument.presence !== "required") continue;
      if (!accepts(argument, value)) return `${kind}: ${name} must be ${expects(argument)}`;
    }
  }
  return undefined;
}

function parseDetection(metadata: Readonly<Record<string, string>>): ModelMetadata["detection"] {
  if (word(metadata, METADATA_KEYS.task, ["detection"]) === undefined) return undefined;
  const boxes = word(metadata, METADATA_KEYS.boxes, ["inclusive", "exclusive"]);
  if (boxes === undefined) throw new Error(`metadata ${METADATA_KEYS.boxes} is missing`);
  return { boxes, ...(word(metadata, METADATA_KEYS.masks, ["grid"]) && { masks: true }) };
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
