/** Images to class names: the paper's three ways of testing, on any classification model in ONNX. */
import type { ModelMetadata } from "../../compiler/metadata.js";
import type { Preprocess } from "../../compiler/model.js";
import type { PixelsPlan, ViewsPlan } from "../images/model-input.js";
import { grouped, inGroups, type Preparer } from "../images/preparing.js";
import { namedSources, type ImageSource, type NamedImage, type NamedSource } from "../images/source.js";
import { fitted } from "../../compiler/preprocess.js";
import {
  checkBatch,
  meanProbabilities,
  onlyImageInput,
  scoreOutput,
  checkViews,
  type ScoreOutput,
  type Scorer,
} from "./scores.js";
import { checkChannels, type ImageInput } from "../images/network-input.js";
import type { View } from "../images/views.js";
import { metadataOf } from "../onnx/metadata-of.js";
import type { ModelInfo } from "../onnx/read-model.js";
import type { ScoreKind } from "./score-kind.js";
import { MOST_CLASSES } from "../images/limits.js";
import { THRESHOLD } from "./label-tally.js";
import { testViews, type ViewOptions } from "./test-views.js";
import { SessionError } from "../onnx/session-error.js";
import type { SessionOptions } from "../onnx/session.js";
import type { Session } from "../onnx/session-types.js";

/** How a model is opened for classification. */
export interface ClassifierOptions extends SessionOptions {
  /** Instead of what the model carries; needed for models that carry none. */
  readonly preprocess?: Preprocess;
  /** Instead of what the model carries. Without any, a class is called by its number. */
  readonly labels?: readonly string[];
  /** The output that holds the scores. Default: `probabilities`, else `logits`, else the only one. */
  readonly output?: string;
  /** What the scores are, for models whose graph doesn't tell. */
  readonly scores?: ScoreKind;
}

/** How images are classified. */
export interface ClassifyOptions extends ViewOptions {
  /** Predictions for each image, at most. Default 5; of independent classes all that are above the threshold. */
  readonly top?: number;
  /** Of independent classes those whose probability is above it are given, and no others. Default 0.5. */
  readonly threshold?: number;
  /** Crops that go through the network at once. Default 8, or what the model was compiled for. */
  readonly batch?: number;
  /** Called after each image. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** A class and how likely it is. */
export interface Prediction {
  readonly label: string;
  readonly index: number;
  /** Of independent classes: the class's own, so that they don't add up to 1. */
  readonly probability: number;
}

/** What became of one image: predictions, likeliest first, or the one-line reason why there are none. */
export type Classified =
  | { readonly image: string; readonly predictions: readonly Prediction[] }
  | { readonly image: string; readonly error: string };

/** A model made ready to classify. */
export interface Classifier {
  readonly session: Session;
  readonly preprocess: Preprocess;
  readonly labels: readonly string[] | undefined;
  /** Name of the network, where the model says it. */
  readonly network: string | undefined;
  readonly classes: number | undefined;
  readonly input: ImageInput;
  /** Present where it can be shown the middle of an image alone: no ten crops, no scales. */
  readonly views: ModelMetadata["views"];
  /** The output that is read, and what its graph says that its numbers are. */
  readonly scores: ScoreOutput;
  /** What was taken for granted, one line each. */
  readonly assumed: readonly string[];
  /**
   * Classifies images, in their order. Many are decoded and scaled by threads, ahead of the runs. One that can't be read has its
   * error and does not stop the others.
   *
   * Scores are averaged as probabilities: over the crops, or over the scales and mirrors. (A fully
   * convolutional network averages its features over all positions before the last layer, which is linear: that is
   * the average of the logits over positions.)
   *
   * @throws {SessionError} for what concerns all of them: options that the model can't follow
   * @throws {TypeError} where something in the list is no image
   */
  classify(images: readonly ImageSource[], options?: ClassifyOptions): Promise<Classified[]>;
  /** Closes the {@link session}. */
  close(): Promise<void>;
}

export type { NamedImage };

/** What a classifier is made of. */
export interface ClassifierParts {
  readonly session: Session;
  readonly info: ModelInfo;
  readonly preparer: Preparer;
}

/** How a classifier is asked, whatever it runs on. */
export type ScoreOptions = Pick<ClassifierOptions, "preprocess" | "labels" | "output" | "scores">;

/**
 * What can be said of a model before it is opened.
 *
 * @returns the preprocessing
 * @throws {SessionError} one line
 */
export function classifierPreprocess(info: ModelInfo, name: string, options: ScoreOptions): Preprocess {
  const carried = metadataOf(info, name);
  if (carried.detection !== undefined) {
    throw new SessionError(`${name}: a detector, which finds objects and doesn't classify: use detect`);
  }
  const chosen = options.preprocess ?? carried.preprocess;
  if (chosen !== undefined) return chosen;
  throw new SessionError(`${name}: carries no preprocessing; say which it was trained with (--preprocess torchvision)`);
}

/** @throws {SessionError} one line: not a classification model, or not one for this preprocessing or these labels */
export function classifierOn({ session, info, preparer }: ClassifierParts, options: ScoreOptions): Classifier {
  const { name } = session;
  const carried = metadataOf(info, name);
  const chosen = classifierPreprocess(info, name, options);
  const input = onlyImageInput(session);
  // What was chosen for another network is made to fit; what the file says of itself has to.
  const { preprocess, assumed } = options.preprocess ? fitted(chosen, input.channels) : { preprocess: chosen };
  checkChannels(name, input, preprocess);
  checkViews(session, inputPlan({ input, preprocess }, [{ kind: "center" }]));
  const labels = options.labels ?? carried.labels;
  const { views } = carried;
  const scores = scoreOutput(session, info, { ...options, labels: labels?.length, carried: carried.scores });
  const { classes } = scores;
  if (labels !== undefined && classes !== undefined && labels.length !== classes) {
    throw new SessionError(`${name}: ${classes} classes, but ${labels.length} labels`);
  }
  return {
    session,
    preprocess,
    labels,
    network: carried.network,
    classes,
    input,
    views,
    scores,
    assumed: assumed === undefined ? [] : [`${name}: ${assumed}`],
    classify: async (images, how = {}) =>
      classifyAll(
        { session, input, views, output: scores, preprocess, labels, preparer },
        await namedSources(images),
        how,
      ),
    async close() {
      await session.close();
      await preparer.close();
    },
  };
}

interface Ready extends Scorer, Pick<ModelMetadata, "views"> {
  readonly preprocess: Preprocess;
  readonly labels: readonly string[] | undefined;
  readonly preparer: Preparer;
}

async function classifyAll(
  model: Ready,
  images: readonly NamedSource[],
  options: ClassifyOptions,
): Promise<Classified[]> {
  const { onProgress } = options;
  const { above, top } = chosenClasses(model, options);
  const isAbove = ({ probability }: Prediction): boolean => probability > above;
  const tests = testViews({ name: model.session.name, ...model }, options);
  const batch = model.input.batch ?? options.batch ?? DEFAULT_BATCH;
  checkBatch(model, batch);
  const plan = inputPlan(model, tests);
  checkViews(model.session, plan);

  const results: Classified[] = [];
  // Images that fill a batch are taken together; of many views each, one at a time, which bounds the memory.
  const group = tests.length === 1 && tests[0]!.kind === "center" ? batch : 1;
  const memory = {};
  for await (const prepared of inGroups(grouped(images, group), model.preparer, plan, images.length)) {
    const scores = await meanProbabilities(
      model,
      prepared.map((each) => ("error" in each ? [] : each.crops)),
      batch,
      memory,
    );
    prepared.forEach((each, i) => {
      const { name: image } = each;
      const isNumbers = scores[i]!.every(Number.isFinite);
      const problem = "error" in each ? each.error : isNumbers ? undefined : `${image}: ${NOT_NUMBERS}`;
      results.push(
        problem === undefined
          ? { image, predictions: topPredictions(scores[i]!, top, model.labels).filter(isAbove) }
          : { image, error: problem },
      );
      onProgress?.(results.length, images.length);
    });
  }
  return results;
}

const DEFAULT_BATCH = 8;

/** Whether a class is a yes or no of its own: of two that one output tells, one is right. */
export function hasThreshold({ kind, ofTwo }: ScoreOutput): boolean {
  return kind === "independent" && !ofTwo;
}

/** How many classes are given, and above which probability. */
function chosenClasses({ output, session }: Ready, { top, threshold }: ClassifyOptions) {
  if (top !== undefined && (!Number.isInteger(top) || top < 1)) {
    throw new SessionError(`top: ${top} is not a positive whole number`);
  }
  if (hasThreshold(output)) {
    const above = threshold ?? THRESHOLD;
    if (!(above >= 0 && above <= 1)) throw new SessionError(`threshold: ${above} is no share from 0 to 1`);
    return { top: top ?? MOST_CLASSES, above };
  }
  if (threshold !== undefined) {
    const why = "a threshold is for classes that are independent, each a yes or no of its own";
    throw new SessionError(`${session.name}: one of its classes is right: ${why}`);
  }
  return { top: top ?? 5, above: -Infinity };
}
const NOT_NUMBERS = "the network's scores are not finite numbers; do its weights and preprocessing fit?";

/** What the network is given of each image. */
export function inputPlan(
  { input, preprocess }: { readonly input: ImageInput; readonly preprocess: Preprocess },
  views: readonly View[],
): ViewsPlan | PixelsPlan {
  return input.pixels
    ? { kind: "pixels", channels: input.channels }
    : { kind: "views", preprocess, size: input.size, views };
}

/** The `top` best classes, likeliest first; of equals, the lower number first. */
export function topPredictions(
  probabilities: Float64Array,
  top: number,
  labels: readonly string[] | undefined,
): Prediction[] {
  return best(probabilities, top).map((index) => ({
    label: labels?.[index] ?? `class ${index}`,
    index,
    probability: probabilities[index]!,
  }));
}

/** A few of many are kept in order while all are looked at once; many of them are sorted. */
const FEW = 100;

function best(values: Float64Array, top: number): number[] {
  const isBefore = (a: number, b: number): number => values[b]! - values[a]! || a - b;
  if (top > FEW) return Array.from(values.keys()).sort(isBefore).slice(0, top);
  const kept: number[] = [];
  for (let index = 0; index < values.length; index++) {
    if (kept.length === top && values[index]! <= values[kept.at(-1)!]!) continue;
    let at = kept.length;
    while (at > 0 && values[index]! > values[kept[at - 1]!]!) at--;
    kept.splice(at, 0, index);
    if (kept.length > top) kept.pop();
  }
  return kept;
}
