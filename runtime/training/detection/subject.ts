/** A detector as what is trained: its batches as the engine takes them, and its graphs. */
import type { Model, ObjectRules, Preprocess } from "../../../compiler/model.js";
import type { Recipe } from "../../../compiler/recipe.js";
import { onlyForClassifiers } from "../../../compiler/training/classifiers-only.js";
import { recipeOptions } from "../../../compiler/training/from-recipe.js";
import { heldOn } from "../../../compiler/training/held.js";
import { sizesFor } from "../../../compiler/training/sizes.js";
import type { TrainingOptions } from "../../../compiler/training/contract.js";
import { transformWord, type TransformSettings } from "../../../compiler/words/transforms.js";
import type { DetectionBatch } from "../../data/loader.js";
import type { Size } from "../../images/image.js";
import type { Trained } from "../../weights/trained.js";
import type { EngineBatch } from "../engine.js";
import { TrainingError } from "../error.js";
import type { FeedOptions } from "../feed.js";
import type { Subject, SubjectRequest } from "../subject.js";
import { detectionData, openDetectionFeed } from "./feed.js";
import { DetectorJudge } from "./judge.js";
import { learnsMasks } from "./masks.js";
import { bytesToKeep, keepProposals } from "./keep-proposals.js";

/** Data without boxes, a detector without losses, names or preprocessing, a classifiers' recipe. @throws {TrainingError | DataError} */
export function checkDetector({ model, recipe, data }: SubjectRequest): void {
  detectionData(data);
  learnedObjects(model);
  labelsOf(model);
  const problem = onlyForClassifiers(model.name, recipe);
  if (problem !== undefined) throw new TrainingError(`recipe ${recipe.name}: ${problem}`);
  preprocessOf(model);
}

/** What a detector is trained by, of its own source. @throws {TrainingError} */
function learnedObjects({ name, detection, losses }: Model): ObjectRules {
  const rules = detection?.objects;
  if (rules && losses && losses.each.length > 0) return rules;
  const lacking = rules ? "its source states no losses" : "its dialect says nothing of `objects` and what is learned";
  throw new TrainingError(`${name} can't be trained: ${lacking}`);
}

/** Names of a detector's classes. @throws {TrainingError} where it has none */
function labelsOf({ name, labels }: Model): readonly string[] {
  if (labels) return labels;
  throw new TrainingError(
    `${name} has no names for its classes, by which to find them in the data: it needs \`labels\``,
  );
}

/** What it is judged and used with. @throws {TrainingError} where it has none */
function preprocessOf({ name, preprocess }: Model): Preprocess {
  if (preprocess) return preprocess;
  throw new TrainingError(`${name} has no \`preprocess\`, which a detector is trained and used with`);
}

/**
 * What training images are put through: the recipe's augmentations, then the detector's own preprocessing, of which the
 * recipe may scale otherwise. @throws {TrainingError} where they contradict one another
 */
function transformsOf(model: Model, recipe: Recipe): readonly TransformSettings[] {
  const { name } = model;
  const own = preprocessOf(model).transforms;
  const isScaled = recipe.train.some(scales);
  const given = new Map(recipe.train.map((each) => [each.kind, each]));
  for (const transform of own) {
    const other = given.get(transform.kind);
    if (transform.kind !== "normalize" || other === undefined || same(transform, other)) continue;
    throw new TrainingError(
      `recipe ${recipe.name} normalizes images otherwise than ${name} does, which will be given its own: leave \`normalize\` out of the recipe`,
    );
  }
  return [...recipe.train, ...own.filter((each) => !given.has(each.kind) && !(isScaled && scales(each)))];
}

function scales({ kind }: TransformSettings): boolean {
  return transformWord(kind)?.scales === true;
}

function same(a: TransformSettings, b: TransformSettings): boolean {
  const sorted = (each: TransformSettings): string => JSON.stringify(Object.entries(each).sort());
  return sorted(a) === sorted(b);
}

/** @throws {TrainingError | DataError} */
export async function openDetectorSubject(
  { model, recipe, data, measures = "network", proposals }: SubjectRequest,
  how: FeedOptions,
): Promise<Subject> {
  const trained: Trained = {
    network: model.name,
    labels: labelsOf(model),
    preprocess: preprocessOf(model),
    prefix: recipe.emaDecay === undefined ? "" : "ema.",
  };
  const seen = { ...recipe, train: transformsOf(model, recipe) };
  const options = {
    ...how,
    labels: trained.labels,
    rules: learnedObjects(model),
    masks: learnsMasks(model),
    model: model.name,
    ...(proposals && { proposals }),
  };
  const feed = await openDetectionFeed(data, seen, recipe.seed, options);
  const { canvases } = feed;
  return {
    data: feed.data,
    stepsPerEpoch: feed.stepsPerEpoch,
    channels: feed.channels,
    trained,
    leftOut: [],
    warnings: feed.warnings,
    notices: [...feed.notices, sizesLine(canvases, feed.padding), ...measuredLine(measures)],
    get unreadable() {
      return feed.unreadable;
    },
    training: (firstStep) => engineBatches(feed.training(firstStep), canvases),
    close: () => feed.close(),
    settings(device, blockSize) {
      const common = { ...recipeOptions(recipe), evaluationBatch: 1, device, blockSize, held: heldOn(device) };
      const each = canvases.map((canvas): TrainingOptions => ({ ...common, sizes: sizesFor(model, canvas) }));
      return each as [TrainingOptions, ...TrainingOptions[]];
    },
    // Canvases are made to fit.
    checkShape: () => undefined,
    judge: (parts) => new DetectorJudge(model, trained, measures, canvases, parts),
    async keepProposals(file, weights, { options: { threads, strict, signal }, device, group, emit }) {
      const { train } = feed.data;
      const tell = (message: string): void => emit({ kind: "notice", message });
      const most = (bytesToKeep(model, train) / 1e6).toPrecision(3);
      tell(`proposals for ${train.size} training images are computed, and kept in ${file} (${most} MB)`);
      await keepProposals(file, model, weights, trained.preprocess, train, {
        device,
        group,
        ...(threads !== undefined && { threads }),
        ...(strict !== undefined && { strict }),
        ...(signal && { signal }),
        onWarning: (message) => emit({ kind: "warning", message }),
        onProgress: (done, total) => emit({ kind: "proposing", done, total }),
      });
    },
  };
}

/** What a validation of a phase is not, where the detector is not whole yet. */
function measuredLine(measures: NonNullable<SubjectRequest["measures"]>): readonly string[] {
  if (measures === "network") return [];
  const what =
    measures === "proposals"
      ? "AR, the recall of what it proposes (the 100 best of an image)"
      : "nothing: only the losses of the updates are told";
  return [`the detector is not whole in this phase, for what others learn is missing; validations measure ${what}`];
}

function sizesLine(canvases: readonly Size[], padding: number): string {
  const sizes = canvases.map(([height, width]) => `${width}x${height}`).join(", ");
  const empty = canvases.length > 1 ? `, of which ${(100 * padding).toFixed(0)} % is padding` : "";
  return `images are computed at ${sizes}${empty}`;
}

/** As the engine takes them. */
async function* engineBatches(
  batches: AsyncGenerator<DetectionBatch, void, void>,
  canvases: readonly Size[],
): AsyncGenerator<EngineBatch, void, void> {
  for await (const { images, canvas, info, objects, proposals } of batches) {
    yield {
      images,
      canvas: canvases.findIndex(([height, width]) => height === canvas[0] && width === canvas[1]),
      sizes: {
        objects: objects.count,
        ...(objects.masks && { cells: objects.masks.cells }),
        ...(proposals && { proposals: proposals.count }),
      },
      targets: {
        image_info: info,
        "objects.boxes": objects.boxes,
        "objects.labels": objects.labels,
        "objects.present": objects.present,
        ...(objects.masks && { "objects.masks": objects.masks.values, "objects.frames": objects.masks.frames }),
        ...(proposals && { "proposals.boxes": proposals.boxes, "proposals.present": proposals.present }),
      },
    };
  }
}
