/** The batches of a detector's training: images with objects in them, seen through a recipe's transforms. */
import type { Recipe } from "../../../compiler/recipe.js";
import { isAnnotated, type AnnotatedSplit, type DataSet } from "../../data/data-set.js";
import type { KeptProposals } from "../../data/detection/proposals.js";
import { Loader, type DetectionBatch } from "../../data/loader.js";
import { counted, Tally } from "../../data/sources/annotated/problems.js";
import { DataError } from "../../data-error.js";
import type { Size } from "../../images/image.js";
import { MOST_INPUT_PIXELS, tooManyValues } from "../../images/limits.js";
import type { TransformSettings } from "../../images/transforms/index.js";
import { beforeStatistics, preparePipeline, type Pipeline } from "../../images/transforms/pipeline.js";
import { recipeTransforms, type FeedOptions } from "../feed.js";
import { planCanvases } from "./canvas-plan.js";
import { checkDetectionData, type CheckOptions } from "./check.js";
import { calledImage } from "./inspector.js";

export interface DetectionFeedOptions
  extends Omit<FeedOptions, "statistics">, Pick<CheckOptions, "labels" | "rules" | "masks" | "onProgress"> {
  /** Of the detector, for messages. */
  readonly model: string;
  /** Regions that it learns from, where they are kept ones. */
  readonly proposals?: KeptProposals;
}

export interface DetectionFeed {
  readonly data: DataSet<AnnotatedSplit>;
  /** Training images that are used, and the objects in them. */
  readonly images: number;
  readonly objects: number;
  /** Batches in which every image comes once, rounded down. */
  readonly stepsPerEpoch: number;
  /** Heights and widths of the tensors, the smallest first. */
  readonly canvases: readonly Size[];
  /** Share of the tensors that no image covers, 0 to 1. */
  readonly padding: number;
  /** What may be a mistake in the data: one line each. */
  readonly warnings: readonly string[];
  /** What was left out by the dialect's rules: one line each. */
  readonly notices: readonly string[];
  /** Transforms of validations. */
  readonly evaluation: readonly TransformSettings[];
  readonly channels: 1 | 3;
  /** Images that could not be read while training. */
  readonly unreadable: number;
  /** Batches of training from this update on, without end. They depend on the seed and their number alone. */
  training(firstStep: number): AsyncGenerator<DetectionBatch, void, void>;
  close(): Promise<void>;
}

/** Sides of canvases are multiples of it, where the recipe has no `pad_to`: of the strides of five stages. */
const MULTIPLE = 32;

/**
 * Looks at the data first, the headers of all image files among them.
 *
 * @throws {DataError} one line: transforms that boxes can't follow, data that don't fit the detector (`check.ts`), no data
 *   to train on
 */
export async function openDetectionFeed(
  given: DataSet,
  recipe: Recipe,
  seed: number,
  { labels, rules, masks = false, model, proposals, onProgress, channels: asked, share, ...how }: DetectionFeedOptions,
): Promise<DetectionFeed> {
  const data = detectionData(given);
  checkRecipe(recipe);
  const transforms = recipe.train.filter(({ kind }) => kind !== "pad_to");
  const padTo = recipe.train.findLast(({ kind }) => kind === "pad_to")?.["multiple"] as number | undefined;
  const pipeline = pipelineFor(transforms, asked);
  const checked = await checkDetectionData(data.train, {
    labels,
    rules,
    masks,
    names: { model, data: data.name },
    ...(how.strict !== undefined && { strict: how.strict }),
    ...(how.signal && { signal: how.signal }),
    ...(onProgress && { onProgress }),
  });
  const { canvases, padding, images, problem } = planCanvases(
    checked.images,
    pipeline,
    recipe.batch,
    padTo ?? MULTIPLE,
  );
  const unfit = problem === undefined ? [] : [`${data.name}: left out ${problem}`];
  if (unfit.length > 0 && (how.strict || images.length === 0)) throw new DataError(unfit[0]!);
  checkCanvases(canvases, recipe.batch, pipeline.channels);
  const loader = new Loader(how);
  return {
    data,
    images: images.length,
    objects: images.reduce((sum, { boxes }) => sum + boxes.length, 0),
    stepsPerEpoch: Math.max(1, Math.floor(images.length / recipe.batch)),
    canvases,
    padding,
    warnings: [...checked.warnings, ...unfit, ...inBoth(data)],
    notices: checked.notices,
    evaluation: recipeTransforms(recipe),
    channels: pipeline.channels,
    get unreadable() {
      return loader.unreadable;
    },
    training: (firstStep) =>
      loader.detection({
        split: data.train,
        images,
        batch: recipe.batch,
        transforms,
        canvases,
        seed,
        firstStep,
        ...(asked && { channels: asked }),
        ...(proposals && { proposals }),
        ...(share && { share }),
      }),
    close: () => loader.close(),
  };
}

/** @throws {DataError} where images have classes in place of objects, none are for training, or those of a validation show nothing */
export function detectionData(data: DataSet): DataSet<AnnotatedSplit> {
  const { train, validation } = data;
  if (!isAnnotated(train) || !isAnnotated(validation)) {
    throw new DataError(`${data.name}: its images have a class each; a detector learns from objects with boxes`);
  }
  if (train.size === 0) {
    const why = data.whole ? "its images are in no parts" : "its training part lists none";
    throw new DataError(`${data.name}: has no training images: ${why}`);
  }
  checkJudged(validation, data.name);
  return data as DataSet<AnnotatedSplit>;
}

/** Where nothing is to be found there is no average precision, and all weights would be as good. */
function checkJudged({ size, annotations }: AnnotatedSplit, data: string): void {
  if (size === 0 || annotations().objects.some(({ isCrowd }) => !isCrowd)) return;
  throw new DataError(
    `${data}: none of its ${counted(size, "validation image")} shows an object, crowds apart, by which to judge a detector: ` +
      "annotate them, or leave them all out",
  );
}

/** Files that are trained on and validated by. */
function inBoth({ name, train, validation }: DataSet<AnnotatedSplit>): string[] {
  const fileOf = (split: AnnotatedSplit, index: number): string | undefined => {
    const reference = split.reference(index);
    return reference.kind === "file" ? reference.file : undefined;
  };
  const trained = new Set(Array.from({ length: train.size }, (_, index) => fileOf(train, index)));
  const both = new Tally();
  for (let index = 0; index < validation.size; index++) {
    const file = fileOf(validation, index);
    if (file !== undefined && trained.has(file)) both.add(() => calledImage(validation.annotations().images[index]!));
  }
  return both.lines(name, (n) => `${counted(n, "image")} in training and validation both`);
}

/** What images with boxes can't be put through. */
function checkRecipe(recipe: Recipe): void {
  if (beforeStatistics(recipe.train)) {
    throw new DataError(
      "subtract_mean: a detector's images have many sizes, and no mean is measured of them: write normalize, with the " +
        "numbers that its backbone was trained with",
    );
  }
}

function pipelineFor(transforms: readonly TransformSettings[], channels: 1 | 3 | undefined): Pipeline {
  const pipeline = preparePipeline(transforms, channels && { channels });
  const { displaces, views } = pipeline;
  if (displaces !== undefined) throw new DataError(`${displaces}: moves pixels, and the boxes of objects can't follow`);
  if (views > 1)
    throw new DataError(`ten_crop: makes ${views} images of one, and a detector is trained on one of each`);
  return pipeline;
}

function checkCanvases(canvases: readonly Size[], batch: number, channels: number): void {
  const [height, width] = canvases.at(-1)!;
  const isTooLarge = height * width > MOST_INPUT_PIXELS;
  const most = `more than the ${MOST_INPUT_PIXELS} pixels that a network may be given`;
  const problem = isTooLarge ? most : tooManyValues([batch, channels, height, width]);
  if (problem !== undefined) {
    throw new DataError(
      `the largest images come out as ${width}x${height}: ${problem}; scale them down, or take fewer`,
    );
  }
}
