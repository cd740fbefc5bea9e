/** Scores of classes out of a model: which output has them, what its numbers mean, and their means over views. */
import type { ModelMetadata } from "../../compiler/metadata.js";
import { DataError } from "../data-error.js";
import { modelInput, type PixelsPlan, type ViewsPlan } from "../images/model-input.js";
import type { Pixels, Planes } from "../images/planes.js";
import { MOST_CLASSES, MOST_VALUES, tooManyValues } from "../images/limits.js";
import { imageInput, type ImageInput } from "../images/network-input.js";
import type { ModelInfo } from "../onnx/read-model.js";
import { traceOutput, type ScoreKind } from "./score-kind.js";
import { SessionError } from "../onnx/session-error.js";
import type { Session, Values } from "../onnx/session-types.js";

/** The output with the scores. */
export interface ScoreOutput {
  readonly name: string;
  readonly kind: ScoreKind;
  /** What makes probabilities of its numbers; null: they are. */
  readonly applied: "softmax" | "sigmoid" | null;
  /** Classes, where they are fixed. Of one output that is the probability of the second of two classes: 2. */
  readonly classes: number | undefined;
  /** One sigmoid for two classes: the second's probability; the first has the rest. */
  readonly ofTwo: boolean;
}

/** @throws {SessionError} where it has more than one input, or one that takes no images */
export function onlyImageInput(session: Session): ImageInput {
  const [input, ...more] = session.inputs;
  if (input === undefined || more.length > 0) {
    const why = more.length > 0 ? " (was it compiled without weights?)" : "";
    throw new SessionError(`${session.name}: ${session.inputs.length} inputs; a model that classifies has one${why}`);
  }
  return imageInput(session.name, input);
}

export interface ScoreOutputOptions {
  /** Name of the output. Default: `probabilities`, else `logits`, else the only one. */
  readonly output?: string | undefined;
  /** What it is, where the graph doesn't tell. */
  readonly scores?: ScoreKind | undefined;
  /** What the model says of itself, where the graph ends before the sigmoid. */
  readonly carried?: ModelMetadata["scores"];
  /** How many classes there are names for. */
  readonly labels?: number | undefined;
}

/** @throws {SessionError} where no output has scores of classes, or what is asked for contradicts the graph */
export function scoreOutput(session: Session, info: ModelInfo, options: ScoreOutputOptions = {}): ScoreOutput {
  const { name, shape } = chosenOutput(session, options.output);
  const traced = kindOf(session.name, info, name, options.scores);
  const isLogits = traced === "logits";
  const kind = isLogits && options.carried === "independent" ? "independent" : traced;
  const applied = isLogits ? (kind === "independent" ? "sigmoid" : "softmax") : null;
  const classes = typeof shape[1] === "number" ? shape[1] : undefined;
  if (classes !== undefined && classes > MOST_CLASSES) {
    throw new SessionError(`${session.name}: ${classes} classes; at most ${MOST_CLASSES} are told apart`);
  }
  return forLabels({ name, kind, applied, classes, ofTwo: false }, options.labels);
}

/** One sigmoid tells two classes apart where there are names for two: it is the probability of the second. */
export function forLabels(output: ScoreOutput, labels: number | undefined): ScoreOutput {
  const ofTwo = output.kind === "independent" && output.classes === 1 && labels === 2;
  return ofTwo ? { ...output, classes: 2, ofTwo } : output;
}

function chosenOutput(session: Session, wanted: string | undefined): Session["outputs"][number] {
  const names = session.outputs.map((output) => output.name);
  const choice =
    wanted ??
    ["probabilities", "logits"].find((name) => names.includes(name)) ??
    (names.length === 1 ? names[0] : undefined);
  const output = session.outputs.find(({ name }) => name === choice);
  if (output !== undefined) return output;
  throw new SessionError(
    wanted === undefined
      ? `${session.name}: none of its outputs (${names.join(", ")}) is called probabilities or logits; say which has the scores`
      : `${session.name}: no output is called ${wanted} (outputs: ${names.join(", ")})`,
  );
}

/** Where the graph leaves it open, the name tells, and then whoever asks. */
function kindOf(model: string, info: ModelInfo, output: string, asked: ScoreKind | undefined): ScoreKind {
  const { kind, by } = traceOutput(info, output);
  if (kind !== "features") {
    if (asked === undefined || asked === kind) return kind;
    throw new SessionError(`${model}: output ${output} comes from ${by} and is ${kind}, not ${asked}`);
  }
  if (asked !== undefined) return asked;
  if (output === "probabilities" || output === "logits") return output;
  throw new SessionError(
    `${model}: output ${output} comes from ${by}: features, not scores of classes; ` +
      "where they are scores, say what they are: --scores logits, probabilities or independent",
  );
}

/** @throws {SessionError} where the preprocessing can't be followed */
export function checkViews({ name }: Session, plan: ViewsPlan | PixelsPlan): void {
  try {
    modelInput(plan);
  } catch (error) {
    if (!(error instanceof DataError) || plan.kind !== "views") throw error;
    throw new SessionError(`${name}: preprocessing ${plan.preprocess.name}: ${error.message}`, { cause: error });
  }
}

/** A session whose output is read as scores of classes. */
export interface Scorer {
  readonly session: Session;
  readonly input: ImageInput;
  readonly output: ScoreOutput;
}

/** @throws {SessionError} where a run of so many images needs more than a machine should give */
export function checkBatch({ session, input }: Scorer, batch: number): void {
  if (!Number.isInteger(batch) || batch < 1) throw new SessionError(`batch: ${batch} is not a positive whole number`);
  if (input.size === undefined) return;
  const problem = tooManyValues([batch, input.channels ?? 3, ...input.size]);
  if (problem !== undefined) throw new SessionError(`${session.name}: batch: ${problem}`);
}

/** What images are put together in, again and again: memory that is new to the system takes time. */
export interface BatchMemory {
  data?: Float32Array | Uint8Array;
}

/** So many values, of which those up to `used` are to be written; those behind are 0. */
function valuesIn(memory: BatchMemory, pixels: boolean, length: number, used: number): Float32Array | Uint8Array {
  const { data } = memory;
  const fits = data !== undefined && data instanceof Uint8Array === pixels && data.length >= length;
  const own = fits ? data : (memory.data = pixels ? new Uint8Array(length) : new Float32Array(length));
  const values = own.subarray(0, length);
  values.fill(0, used);
  return values;
}

/**
 * Mean probabilities of each image over its crops; of independent classes, each class's own. Crops of one size, of
 * whichever images, share runs.
 *
 * @param images crops of each; one without any has an empty result
 * @param batch crops a run, at most; just so many where the model's batch is fixed
 * @param memory of one who asks several times, one after the other
 */
export async function meanProbabilities(
  scorer: Scorer,
  images: readonly (readonly (Planes | Pixels)[])[],
  batch: number,
  memory: BatchMemory,
): Promise<Float64Array[]> {
  const crops = images.flatMap((views, image) => views.map((planes) => ({ image, planes })));
  const bySize = new Map<string, typeof crops>();
  for (const crop of crops) {
    const size = `${crop.planes.height}x${crop.planes.width}`;
    bySize.set(size, [...(bySize.get(size) ?? []), crop]);
  }
  const means = images.map(() => new Float64Array(0));
  for (const same of bySize.values()) {
    for (let start = 0; start < same.length; start += batch) {
      const part = same.slice(start, start + batch);
      const rows = await run(
        scorer,
        part.map(({ planes }) => planes),
        memory,
      );
      part.forEach(({ image }, i) => {
        const share = 1 / images[image]!.length;
        const mean = means[image]!.length > 0 ? means[image]! : new Float64Array(rows[i]!.length);
        rows[i]!.forEach((probability, k) => (mean[k]! += probability * share));
        means[image] = mean;
      });
    }
  }
  return means;
}

/** Probabilities of each crop; the crops have one size. */
async function run(
  { session, input, output }: Scorer,
  crops: readonly (Planes | Pixels)[],
  memory: BatchMemory,
): Promise<Float64Array[]> {
  const { channels, height, width } = crops[0]!;
  if (input.size !== undefined && (input.size[0] !== height || input.size[1] !== width)) {
    throw new SessionError(`${session.name}: its input is ${input.size.join("x")}, not ${height}x${width}`);
  }
  // A model made for batches of N is given N: the rest stays zero and what comes of it is not looked at.
  const batch = input.batch ?? crops.length;
  const shape = input.pixels ? [batch, height, width, channels] : [batch, channels, height, width];
  const problem = tooManyValues(shape);
  if (problem !== undefined) throw new SessionError(`${session.name}: ${problem}; take smaller batches`);
  const each = channels * height * width;
  const data = valuesIn(memory, input.pixels, batch * each, crops.length * each);
  crops.forEach((crop, i) => data.set(crop.data, i * each));
  const results = await session.run({ [input.name]: { data, shape } }, [output.name]);
  return probabilities(session.name, output, results[output.name]!, batch, crops.length);
}

/**
 * Probabilities out of scores: logits go through a softmax, or a sigmoid where they are independent; what is probabilities stays as it is. Scores at several
 * positions ([N, classes, h, w]) are averaged over them.
 *
 * @param wanted rows of the batch that are looked at
 */
function probabilities(
  model: string,
  { name, applied, ofTwo }: ScoreOutput,
  { data, shape }: Values,
  batch: number,
  wanted: number,
): Float64Array[] {
  const classes = shape[1] ?? 0;
  const positions = shape.slice(2).reduce((product, dim) => product * dim, 1);
  if (!(data instanceof Float32Array) || shape.length < 2 || shape[0] !== batch || classes * positions === 0) {
    throw new SessionError(`${model}: output ${name} of shape [${shape.join(", ")}] has no score for each class`);
  }
  if (classes > MOST_CLASSES || data.length > MOST_VALUES) {
    throw new SessionError(
      `${model}: output ${name} of shape [${shape.join(", ")}] has more than ${MOST_CLASSES} classes`,
    );
  }
  return Array.from({ length: wanted }, (_, i) => {
    const mean = new Float64Array(classes);
    const row = new Float64Array(classes);
    for (let position = 0; position < positions; position++) {
      const start = i * positions * classes + position;
      for (let k = 0; k < classes; k++) row[k] = data[start + k * positions]!;
      if (applied === "softmax") softmax(row);
      if (applied === "sigmoid") row.forEach((logit, k) => (row[k] = 1 / (1 + Math.exp(-logit))));
      for (let k = 0; k < classes; k++) mean[k]! += row[k]! / positions;
    }
    return ofTwo ? Float64Array.of(1 - mean[0]!, mean[0]!) : mean;
  });
}

/** In place. */
function softmax(logits: Float64Array): void {
  let highest = -Infinity;
  for (const logit of logits) highest = Math.max(highest, logit);
  let sum = 0;
  for (let i = 0; i < logits.length; i++) sum += logits[i] = Math.exp(logits[i]! - highest);
  for (let i = 0; i < logits.length; i++) logits[i]! /= sum;
}
