/** Images to the objects in them, by any detector in ONNX that has resnetc's inputs and outputs. */
import type { Preprocess } from "../../compiler/model.js";
import { channelProblem, fitted } from "../../compiler/preprocess.js";
import { DataError } from "../data-error.js";
import { preparePipeline } from "../images/transforms/pipeline.js";
import { padToOf } from "../images/detector-input.js";
import type { Image } from "../images/image.js";
import type { DetectorImage, DetectorPlan } from "../images/model-input.js";
import { grouped, inGroups, type Prepared, type Preparer } from "../images/preparing.js";
import { namedSources, type ImageSource, type NamedSource } from "../images/source.js";
import { metadataOf, type BoxEnds } from "../onnx/metadata-of.js";
import type { ModelInfo } from "../onnx/read-model.js";
import { SessionError } from "../onnx/session-error.js";
import type { SessionOptions } from "../onnx/session.js";
import type { Session } from "../onnx/session-types.js";
import { detectorGraph, runDetector, type Finding, type RunOptions } from "./detector-graph.js";
import type { Box } from "../data/objects.js";
import { writeMask, type MaskText } from "../data/masks/text.js";
import { maskInImage } from "./paste.js";

/** How a model is opened for detection. */
export interface DetectorOptions extends SessionOptions {
  /** Instead of what the model carries; needed for models that carry none. */
  readonly preprocess?: Preprocess;
  /** Instead of what the model carries. Without any, a class is called by its number. */
  readonly labels?: readonly string[];
  /** For models that don't say it. Default `exclusive`. */
  readonly boxes?: BoxEnds;
}

/** How objects are looked for. */
export interface DetectOptions {
  /** What is less sure is left out, 0 to 1. Default 0: all that the model gives. */
  readonly score?: number;
  /** Of a mask are the pixels that are likelier than this, 0 to 1. Default 0.5. */
  readonly maskThreshold?: number;
  /**
   * Images that go through the network at once, padded to the size of the largest. Default 1, or what the model was
   * compiled for.
   */
  readonly batch?: number;
  /** Called after each image. */
  readonly onProgress?: (done: number, total: number) => void;
  /**
   * Called with each image in order, and its pixels where they could be read. What it does overlaps with the next run;
   * an image later it is waited for.
   */
  readonly onImage?: (detected: Detected, pixels: Image | undefined) => void | Promise<void>;
}

/** An object that was found in an image. */
export interface DetectedObject {
  readonly label: string;
  /** Of the class, from 0, without the background. */
  readonly index: number;
  readonly score: number;
  /** In the image's own pixels. */
  readonly box: Box;
  /** Its pixels in the image, as COCO's files have masks, where the model finds masks. */
  readonly mask?: MaskText;
}

/** What became of one image: the objects, by descending score, or the one-line reason why there are none. */
export type Detected =
  | {
      readonly image: string;
      readonly width: number;
      readonly height: number;
      readonly objects: readonly DetectedObject[];
    }
  | { readonly image: string; readonly error: string };

/** A model made ready to detect. */
export interface Detector {
  readonly session: Session;
  readonly preprocess: Preprocess;
  readonly labels: readonly string[] | undefined;
  /** Whether what it finds has masks. */
  readonly hasMasks: boolean;
  /** Name of the network, where the model says it. */
  readonly network: string | undefined;
  /** What was taken for granted, one line each. */
  readonly assumed: readonly string[];
  /**
   * Finds objects in images, in their order. Many are decoded and scaled by threads, ahead of the runs.
   * An image that can't be read, or on which the network fails, has its error and does not stop the others.
   *
   * @throws {SessionError} for what concerns all of them: options that the model can't follow
   * @throws {TypeError} where something in the list is no image
   */
  detect(images: readonly ImageSource[], options?: DetectOptions): Promise<Detected[]>;
  /** Closes the {@link session}. */
  close(): Promise<void>;
}

/** What a detector is made of. */
export interface DetectorParts {
  readonly session: Session;
  readonly info: Pick<ModelInfo, "metadata">;
  readonly preparer: Preparer;
}

/** @throws {SessionError} one line: not a detector, no preprocessing known or one that a detector can't have */
export function detectorOn(
  { session, info, preparer }: DetectorParts,
  options: Pick<DetectorOptions, "preprocess" | "labels" | "boxes">,
): Detector {
  const { name } = session;
  const carried = metadataOf(info, name);
  const { detection } = carried;
  const graph = detectorGraph(session, detection && detection.masks === true);
  const chosen = options.preprocess ?? carried.preprocess;
  if (chosen === undefined) {
    throw new SessionError(`${name}: carries no preprocessing; say which it was trained with`);
  }
  const { preprocess, assumed } = options.preprocess ? fitted(chosen, graph.channels) : { preprocess: chosen };
  const problem = channelProblem(graph.channels, preprocess);
  if (problem !== undefined) throw new SessionError(`${name}: ${problem}`);
  checkPreprocess(preprocess, name);
  const labels = options.labels ?? carried.labels;
  const boxes = detection?.boxes ?? options.boxes ?? "exclusive";
  const ready: Ready = { session, preparer, preprocess, labels, run: { ...graph, boxes, padTo: padToOf(preprocess) } };
  return {
    session,
    preprocess,
    labels,
    hasMasks: graph.masks,
    network: carried.network,
    assumed: assumed === undefined ? [] : [`${name}: ${assumed}`],
    detect: async (images, how = {}) => detectAll(ready, await namedSources(images), how),
    async close() {
      await session.close();
      await preparer.close();
    },
  };
}

/** What a detector's image may be put through: it is given whole, and told how it was scaled. */
const ALLOWED = new Set(["resize", "resize_shorter", "normalize", "pad_to"]);

function checkPreprocess({ name, transforms }: Preprocess, model: string): void {
  const cuts = transforms.find(({ kind }) => !ALLOWED.has(kind));
  if (cuts) {
    throw new SessionError(
      `${model}: preprocessing ${name} has ${cuts.kind}; a detector needs the whole image, scaled`,
    );
  }
  try {
    preparePipeline(transforms);
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    throw new SessionError(`${model}: preprocessing ${name}: ${error.message}`, { cause: error });
  }
}

interface Ready {
  readonly session: Session;
  readonly preparer: Preparer;
  readonly preprocess: Preprocess;
  readonly labels: readonly string[] | undefined;
  readonly run: RunOptions;
}

async function detectAll(
  model: Ready,
  images: readonly NamedSource[],
  { score = 0, maskThreshold = 0.5, batch: asked = 1, onProgress, onImage }: DetectOptions,
): Promise<Detected[]> {
  for (const [name, share] of Object.entries({ score, maskThreshold })) {
    if (!(share >= 0 && share <= 1)) throw new SessionError(`${name}: ${share} is not from 0 to 1`);
  }
  if (!Number.isInteger(asked) || asked < 1) throw new SessionError(`batch: ${asked} is not a positive whole number`);
  const batch = model.run.batch ?? asked;
  const plan: DetectorPlan = {
    kind: "detector",
    preprocess: model.preprocess,
    model: model.session.name,
    size: model.run.size,
    keepsPixels: onImage !== undefined,
  };
  const results: Detected[] = [];
  let handed: Promise<unknown> = Promise.resolve();
  for await (const prepared of inGroups(grouped(images, batch), model.preparer, plan, images.length)) {
    const found = await find(model, prepared);
    const detected = prepared.map((image, i) => describe(model, image, found[i]!, { score, maskThreshold }));
    await handed;
    handed = handOn(detected, prepared, onImage);
    // Awaited later: by then its failure would be one that nobody had taken.
    handed.catch(() => undefined);
    for (const each of detected) {
      results.push(each);
      onProgress?.(results.length, images.length);
    }
  }
  await handed;
  return results;
}

async function handOn(
  detected: readonly Detected[],
  prepared: readonly Prepared<DetectorPlan>[],
  onImage: DetectOptions["onImage"],
): Promise<void> {
  for (const [i, each] of detected.entries()) {
    const image = prepared[i]!;
    await onImage?.(each, "error" in image ? undefined : image.pixels);
  }
}

/** An image that could be read. */
type Readable = DetectorImage & { readonly name: string };

type Found = readonly Finding[] | { readonly error: string };

/** What the network finds in each; where it fails on several images, they are tried one by one. */
async function find(model: Ready, prepared: readonly Prepared<DetectorPlan>[]): Promise<Found[]> {
  const found = await findIn(
    model,
    prepared.filter((image): image is Readable => !("error" in image)),
  );
  return prepared.map((image) => ("error" in image ? { error: image.error } : found.get(image)!));
}

async function findIn(model: Ready, images: readonly Readable[]): Promise<Map<Readable, Found>> {
  if (images.length === 0) return new Map();
  try {
    const inputs = images.map(({ input }) => input);
    const found = await runDetector(model.session, inputs, model.run);
    return new Map(images.map((image, i) => [image, found[i]!]));
  } catch (error) {
    if (!(error instanceof SessionError)) throw error;
    if (images.length === 1) return new Map([[images[0]!, { error: `${images[0]!.name}: ${error.message}` }]]);
    const alone = [];
    for (const image of images) alone.push(...(await findIn(model, [image])));
    return new Map(alone);
  }
}

function describe(
  { labels, session }: Ready,
  prepared: Prepared<DetectorPlan>,
  found: Found,
  least: Required<Pick<DetectOptions, "score" | "maskThreshold">>,
): Detected {
  const { name: image } = prepared;
  if ("error" in prepared) return { image, error: prepared.error };
  if ("error" in found) return { image, error: found.error };
  const { width, height } = prepared;
  const objects = found
    .filter(({ score }) => score >= least.score)
    .map(({ index, score, box, mask }): DetectedObject => ({
      label: labelOf(index, labels, session),
      index,
      score,
      box,
      ...(mask && { mask: writeMask(maskInImage(mask.grid, mask.corners, { width, height }, least.maskThreshold)) }),
    }));
  return { image, width, height, objects };
}

function labelOf(index: number, labels: readonly string[] | undefined, { name }: Session): string {
  if (labels === undefined) return `class ${index}`;
  const label = labels[index];
  if (label === undefined)
    throw new SessionError(`${name}: found class ${index}, but there are ${labels.length} labels`);
  return label;
}
