/** A detector as what is trained: its batches as the engine takes them, and the average precision that it is judged by. */
import { emitModel } from "../../../compiler/compile.js";
import { concat } from "../../../compiler/emit/onnx.js";
import type { Model, ObjectRules, Preprocess } from "../../../compiler/model.js";
import type { Recipe } from "../../../compiler/recipe.js";
import type { AnnotatedSplit, DataSet } from "../../data/index.js";
import type { DetectionBatch } from "../../data/loader.js";
import { openDetector } from "../../detection/detector.js";
import { evaluateCoco } from "../../detection/evaluate/coco.js";
import { detectData, type DetectDataOptions } from "../../detection/run.js";
import type { Size } from "../../images/image.js";
import type { TransformSettings } from "../../../compiler/words/transforms.js";
import type { DeviceRequest } from "../../onnx/device.js";
import type { EngineBatch } from "../engine.js";
import type { Trained } from "../../weights/trained.js";
import { TrainingError } from "../error.js";
import type { EventFile } from "../event-file.js";
import type { FeedOptions, TrainingFeed } from "../feed.js";
import type { Judged } from "../judge.js";
import { openDetectionFeed } from "./feed.js";
import { DetectionImageLog } from "./image-log.js";

/** What a detector is trained by, of its own source. @throws {TrainingError} */
export function learnedObjects({ name, detection, losses }: Model): ObjectRules {
  const rules = detection?.objects;
  if (rules && losses && losses.each.length > 0) return rules;
  const lacking = rules ? "its source states no losses" : "its dialect says nothing of `objects` and what is learned";
  throw new TrainingError(`${name} can't be trained: ${lacking}`);
}

/** Names of a detector's classes. @throws {TrainingError} where it has none */
export function detectorLabels({ name, labels }: Model): readonly string[] {
  if (labels) return labels;
  throw new TrainingError(
    `${name} has no names for its classes, by which to find them in the data: it needs \`labels\``,
  );
}

const RESIZES = new Set(["resize", "resize_shorter", "random_resize_shorter", "random_resized_crop"]);

/**
 * What training images are put through: the recipe's augmentations, then the detector's own preprocessing, of which the
 * recipe may scale otherwise. @throws {TrainingError} where they contradict one another
 */
export function detectorTransforms({ name, preprocess }: Model, recipe: Recipe): readonly TransformSettings[] {
  const own = preprocess?.transforms ?? [];
  const scales = recipe.train.some(({ kind }) => RESIZES.has(kind));
  const given = new Map(recipe.train.map((each) => [each.kind, each]));
  for (const transform of own) {
    const other = given.get(transform.kind);
    if (transform.kind !== "normalize" || other === undefined || same(transform, other)) continue;
    throw new TrainingError(
      `recipe ${recipe.name} normalizes images otherwise than ${name} does, which will be given its own: leave \`normalize\` out of the recipe`,
    );
  }
  return [...recipe.train, ...own.filter(({ kind }) => !given.has(kind) && !(scales && RESIZES.has(kind)))];
}

function same(a: TransformSettings, b: TransformSettings): boolean {
  const sorted = (each: TransformSettings): string => JSON.stringify(Object.entries(each).sort());
  return sorted(a) === sorted(b);
}

/** What a detector's training takes its batches from. */
export interface DetectorFeed extends TrainingFeed {
  /** Heights and widths of the tensors, the smallest first. */
  readonly canvases: readonly Size[];
  /** One line each. */
  readonly warnings: readonly string[];
  readonly notices: readonly string[];
}

/** Looks at the data first. @throws {TrainingError | DataError} where they and the detector do not fit together */
export async function openDetectorFeed(
  model: Model,
  data: DataSet,
  recipe: Recipe,
  how: FeedOptions,
): Promise<DetectorFeed> {
  const seen = { ...recipe, train: detectorTransforms(model, recipe) };
  const options = { ...how, labels: detectorLabels(model), rules: learnedObjects(model), model: model.name };
  const feed = await openDetectionFeed(data, seen, recipe.seed, options);
  const { data: annotated, stepsPerEpoch, canvases, padding, channels, warnings, notices } = feed;
  const sizes = canvases.map(([height, width]) => `${width}x${height}`).join(", ");
  const empty = canvases.length > 1 ? `, of which ${(100 * padding).toFixed(0)} % is padding` : "";
  return {
    ...{ data: annotated, stepsPerEpoch, canvases, channels, warnings },
    notices: [...notices, `images are computed at ${sizes}${empty}`],
    get unreadable() {
      return feed.unreadable;
    },
    training: (firstStep) => engineBatches(feed.training(firstStep), canvases),
    close: () => feed.close(),
  };
}

/** As the engine takes them. */
async function* engineBatches(
  batches: AsyncGenerator<DetectionBatch, void, void>,
  canvases: readonly Size[],
): AsyncGenerator<EngineBatch, void, void> {
  for await (const { images, canvas, info, objects } of batches) {
    yield {
      images,
      canvas: canvases.findIndex(([height, width]) => height === canvas[0] && width === canvas[1]),
      sizes: { objects: objects.count },
      targets: {
        image_info: info,
        "objects.boxes": objects.boxes,
        "objects.labels": objects.labels,
        "objects.present": objects.present,
      },
    };
  }
}

/** A few images with their boxes, for TensorBoard. */
export function detectorImages(
  events: EventFile,
  count: number,
  { canvases }: DetectorFeed,
  { labels, preprocess }: Trained,
): DetectionImageLog {
  return new DetectionImageLog(events, count, { labels, preprocess, canvases });
}

/** How a detector is judged while it is trained. */
export interface JudgeOptions {
  readonly device: DeviceRequest;
  readonly threads?: number;
  readonly strict?: boolean;
  readonly signal?: AbortSignal;
  readonly onWarning?: (message: string) => void;
  readonly onDetected?: DetectDataOptions["onDetected"];
  readonly onProgress?: (done: number, total: number) => void;
}

/** COCO's numbers of a split by these weights, of the model as it would be used. */
export async function judgeDetector(
  model: Model,
  weights: ReadonlyMap<string, Float32Array>,
  preprocess: Preprocess | undefined,
  split: AnnotatedSplit,
  { device, threads, strict, signal, onWarning, onDetected, onProgress }: JudgeOptions,
): Promise<Judged> {
  const emitted = emitModel(model, { weights, ...(preprocess && { preprocess }), origin: { from: "training" } });
  if (emitted.external) throw new TrainingError(`${model.name} is too large to be judged while it is trained`);
  const detector = await openDetector(concat(emitted.chunks, emitted.byteLength), {
    device,
    ...(threads !== undefined && { threads }),
  });
  try {
    const { data, detections } = await detectData(detector, split, {
      ...(strict && { strict }),
      ...(onWarning && { onWarning }),
      ...(onDetected && { onDetected }),
      onProgress(done, total) {
        signal?.throwIfAborted();
        onProgress?.(done, total);
      },
    });
    const { summary } = evaluateCoco(data, detections);
    return { AP: Math.max(0, summary.AP), AP50: Math.max(0, summary.AP50) };
  } finally {
    await detector.close();
  }
}
