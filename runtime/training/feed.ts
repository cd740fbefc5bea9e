/** The batches of a training: a data set seen through a recipe's transforms. */
import type { Model } from "../../compiler/model.js";
import { imageChannels } from "../../compiler/preprocess.js";
import { mixesImages, type Recipe } from "../../compiler/recipe.js";
import type { Batch, BatchLoader, EvaluationBatches } from "../data/batch-loader.js";
import { classifierData, type ClassifiedSplit, type DataSet } from "../data/data-set.js";
import { measureStatistics } from "../data/measure.js";
import { batchesPerEpoch } from "../data/order.js";
import type { BatchShare } from "../data/shared-plan.js";
import type { Statistics } from "../images/statistics.js";
import type { TransformSettings } from "../images/transforms/index.js";
import { deterministicTransforms, preparePipeline } from "../images/transforms/pipeline.js";
import type { EngineBatch } from "./engine.js";
import { TrainingError } from "./error.js";
import { mixed } from "./mixing/index.js";
import { withTargets, type TargetBatch } from "./targets.js";

export interface FeedOptions {
  readonly workers?: number;
  readonly strict?: boolean;
  /** Ends what is being loaded with its reason. */
  readonly signal?: AbortSignal;
  /** Told once of every image that can't be read. */
  readonly onUnreadable?: (message: string) => void;
  /** Where the mean of the training images is kept, once measured. */
  readonly statistics?: StatisticsStore;
  /** Channels of the network's images: 1 for grey ones. Default: as the recipe's `normalize` says, else 3. */
  readonly channels?: 1 | 3;
  /** Of each batch of the training the images that are computed here. Default: all. */
  readonly share?: BatchShare;
  /** Cores of the machine that there are for this process. Default: all. */
  readonly cores?: number;
}

/** A place for what was measured on the training images. */
export interface StatisticsStore {
  load(): Promise<Statistics | undefined>;
  save(statistics: Statistics): Promise<void>;
}

/** What every training takes its batches from. */
export interface TrainingFeed {
  readonly data: DataSet;
  readonly stepsPerEpoch: number;
  readonly channels: 1 | 3;
  readonly unreadable: number;
  /** Batches of training from this update on, without end. They depend on the seed and their number alone. */
  training(firstStep: number): AsyncGenerator<EngineBatch, void, void>;
  close(): Promise<void>;
}

/** A classifier's. */
export interface Feed extends TrainingFeed {
  readonly data: DataSet<ClassifiedSplit>;
  /** There where a transform needs it. */
  readonly statistics: Statistics | undefined;
  /** Transforms of evaluations, with all views: ten crops. */
  readonly evaluation: readonly TransformSettings[];
  /** Height and width of what the network is given, where all images come out the same. */
  readonly size: readonly [height: number, width: number] | undefined;
  /**
   * Batches of training from this update on, without end, mixed as the recipe says. They depend on the seed and their
   * number alone.
   */
  training(firstStep: number): AsyncGenerator<TargetBatch, void, void>;
  /** Other batches of the same kind, of so many images in all; none is mixed. */
  calibration(images: number): AsyncGenerator<Batch, void, void>;
  /**
   * Every image of a split once; `centre`: one view of each, the middle where the recipe takes ten crops; `only`: of the
   * batches that there are.
   */
  evaluate(
    split: ClassifiedSplit,
    batch: number,
    centre: boolean,
    only?: EvaluationBatches["only"],
  ): AsyncGenerator<TargetBatch, void, void>;
}

/**
 * @param loader is closed with the feed
 * @throws {DataError} for transforms that do not fit the data, and for images of which no class is known
 */
export async function feedBy(
  loader: BatchLoader,
  given: DataSet,
  recipe: Recipe,
  { statistics: store, channels, share }: Pick<FeedOptions, "statistics" | "channels" | "share">,
  seed = recipe.seed,
): Promise<Feed> {
  try {
    const data = classifierData(given);
    const classes = data.classes.length;
    const train = recipe.train;
    const evaluation = recipeTransforms(recipe);
    const seen = channels === undefined ? {} : { channels };
    const statistics = await statisticsOf(loader, data, { train, evaluation, ...seen }, store);
    const common = { ...seen, ...(statistics && { statistics }) };
    const { imageSize: from } = data.train;
    const pipeline = preparePipeline(train, { ...common, ...(from && { from }) });
    const mixedShare = share && mixesImages(recipe) ? { ...share, withBefore: true as const } : share;
    const batches = (firstStep: number, from: number, own: BatchShare | undefined, endStep?: number) =>
      loader.training({
        ...common,
        ...(own && { share: own }),
        split: data.train,
        batch: recipe.batch,
        transforms: train,
        seed: from,
        firstStep,
        ...(recipe.sampling && { sampling: recipe.sampling }),
        ...(endStep !== undefined && { endStep }),
      });
    return {
      data,
      stepsPerEpoch: Math.max(1, batchesPerEpoch(data.train.size, recipe.batch)),
      statistics,
      evaluation,
      size: pipeline.size,
      channels: pipeline.channels,
      get unreadable() {
        return loader.unreadable;
      },
      training: (firstStep) =>
        mixed(
          withTargets(batches(firstStep, seed, mixedShare), data.train, classes),
          recipe,
          seed,
          classes,
          mixedShare,
        ),
      calibration: (images) => batches(0, seed + 1, share, Math.ceil(images / recipe.batch)),
      evaluate: (split, batch, centre, only) =>
        withTargets(
          loader.evaluation({
            ...common,
            split,
            batch,
            transforms: centre ? oneView(evaluation) : evaluation,
            ...(only && { only }),
          }),
          split,
          classes,
        ),
      close: () => loader.close(),
    };
  } catch (error) {
    await loader.close();
    throw error;
  }
}

async function statisticsOf(
  loader: BatchLoader,
  data: DataSet,
  seen: {
    readonly train: readonly TransformSettings[];
    readonly evaluation: readonly TransformSettings[];
    readonly channels?: 1 | 3;
  },
  store: StatisticsStore | undefined,
): Promise<Statistics | undefined> {
  const { train, evaluation, ...channels } = seen;
  if (!needsStatistics([...train, ...evaluation])) return undefined;
  const kept = await store?.load();
  if (kept) return kept;
  const transforms = train.some(({ kind }) => kind === "subtract_mean") ? train : evaluation;
  const statistics = await measureStatistics(loader, data.train, transforms, channels);
  if (statistics) await store?.save(statistics);
  return statistics;
}

/** The middle in place of ten crops: what the paper's curves are of (figure 4). */
export function oneView(transforms: readonly TransformSettings[]): readonly TransformSettings[] {
  return transforms.map((transform) =>
    transform.kind === "ten_crop" ? { ...transform, kind: "center_crop" } : transform,
  );
}

export function needsStatistics(transforms: readonly TransformSettings[]): boolean {
  return transforms.some(({ kind }) => kind === "subtract_mean");
}

/** Whether `normalize` names grey. */
export function saysGrey(transforms: readonly TransformSettings[]): boolean {
  return transforms.some(({ kind, color }) => kind === "normalize" && color === "grey");
}

/** Of evaluations: those that the recipe says, or its training's without what is random. */
export function recipeTransforms({
  train,
  evaluate,
}: Pick<Recipe, "train" | "evaluate">): readonly TransformSettings[] {
  return evaluate.length > 0 ? evaluate : deterministicTransforms(train);
}

/**
 * Channels of the images that a network takes; undefined where its source leaves them open.
 *
 * @throws {TrainingError} where no image has so many
 */
export function channelsFor(model: Model): 1 | 3 | undefined {
  const channels = imageChannels(model);
  if (channels === undefined || channels === 1 || channels === 3) return channels;
  throw new TrainingError(`${model.name}: its input has ${channels} channels; an image has 3, or 1 in grey`);
}
