/**
 * What is trained, a classifier or a detector, as trainings see it: its batches, its graphs, and what it is judged by. What
 * the two do differently stands in classifier.ts and detection/subject.ts, and nowhere else.
 */
import type { Model } from "../../compiler/model.js";
import type { Recipe } from "../../compiler/recipe.js";
import type { PlannedPhase } from "../../compiler/training/phase-plan.js";
import type { KeptProposals } from "../data/detection/proposals.js";
import type { TrainingOptions } from "../../compiler/training/contract.js";
import type { Split } from "../data/data-set.js";
import type { Device } from "../onnx/device.js";
import type { Group } from "../parallel/group.js";
import type { Trained } from "../weights/trained.js";
import { checkClassifier, classifierSubject } from "./classifier.js";
import { checkDetector, openDetectorSubject } from "./detection/subject.js";
import type { Engine, EngineBatch, Values } from "./engine.js";
import type { EventFile } from "./event-file.js";
import { channelsFor, type Feed, type FeedOptions, type TrainingFeed } from "./feed.js";
import type { Judged } from "./judge.js";
import { openFeed } from "./open-feed.js";
import type { TargetBatch } from "./targets.js";
import type { ValidationMetrics } from "./metrics.js";
import type { TrainEvent, TrainOptions, TrainRequest } from "./request.js";

/** What is trained, and on what; not where it is written. The recipe is that of a phase. */
export interface SubjectRequest extends Omit<TrainRequest, "folder"> {
  /** What validations can measure while it is trained so. Default: the network as it will be used. */
  readonly measures?: PlannedPhase["measures"];
  /** Regions that a detector learns from. Default: what it proposes itself. */
  readonly proposals?: KeptProposals;
}

/** Where batches come from, and what goes with them. */
export interface Subject extends TrainingFeed {
  /** How a model of it is used. */
  readonly trained: Trained;
  /** Transforms of validations that a model can't follow, by name. */
  readonly leftOut: readonly string[];
  /** What may be a mistake in the data, and what is done that may not be expected: one line each. */
  readonly warnings: readonly string[];
  readonly notices: readonly string[];
  /**
   * What graphs are made by: one for each size of tensors, with the same state.
   *
   * @param blockSize channels of a block in ONNX Runtime's blocked layout on this processor; 0: not known
   */
  settings(device: Device, blockSize: number): readonly [TrainingOptions, ...TrainingOptions[]];
  /** @throws {TrainingError} where what the transforms give is not what the network takes, [N, channels, height, width] */
  checkShape(shape: readonly number[]): void;
  judge(parts: JudgeParts): SubjectJudge;
  /**
   * Of a detector: writes what it proposes for the training images by these weights, and says in words how much that is.
   *
   * @throws {TrainingError | DataError | FileError}
   */
  readonly keepProposals?: (
    file: string,
    weights: ReadonlyMap<string, Float32Array>,
    parts: KeepParts,
  ) => Promise<void>;
}

/** What proposals are computed with. */
export interface KeepParts {
  readonly options: Pick<TrainOptions, "threads" | "strict" | "signal">;
  readonly device: Device;
  readonly group: Group;
  readonly emit: (event: TrainEvent) => void;
}

/** What a judge works with. */
export interface JudgeParts {
  readonly engine: Engine;
  /** Absent where nothing is kept for TensorBoard. */
  readonly events?: EventFile;
  /** Shows images of a classifier's batches there; absent where none are asked for. */
  readonly classifiedImages?: ((recipe: Recipe, feed: Feed) => ImageLogger) | undefined;
  readonly options: Pick<TrainOptions, "threads" | "strict" | "signal" | "images">;
  /** Among which the images of a validation are shared out. */
  readonly group: Group;
  readonly emit: (event: TrainEvent) => void;
}

/** Shows images that were trained on and validated. */
export interface ImageLogger {
  trained(step: number, batch: TargetBatch): Promise<void>;
  evaluated(step: number, batch: TargetBatch, scores: Float32Array): Promise<void>;
}

/** Means over the images; `raw`: with weights that are not averaged, where they are asked for beside the others. */
export type Verdict = Judged & Pick<ValidationMetrics, "raw">;

/** Judges what is trained by the weights of the moment, and shows images in TensorBoard where that is asked for. */
export interface SubjectJudge {
  /** What validations are compared by; undefined where there is nothing that they could measure yet. */
  readonly measure: "error" | "mAP" | "AP" | "AR" | undefined;
  /** A validation looks at images as a test does. */
  readonly isWhole: boolean;
  /** Shows images of a training batch. The engine has not taken its buffer yet. */
  show(step: number, batch: EngineBatch): Promise<void>;
  /** @throws {DataError} where no image of the split can be read */
  judge(kind: "validation" | "test", split: Split, step: number): Promise<Verdict>;
  /** After the last update: the state with what is measured by the final weights. The engine has it too. */
  finish(state: Values): Promise<Values>;
}

/** What can be said of one before anything is opened. @throws {TrainingError | DataError} */
export function checkSubject(request: SubjectRequest): void {
  return isDetector(request.model) ? checkDetector(request) : checkClassifier(request);
}

/** Looks at the data first. @throws {TrainingError | DataError} where they and the network do not fit together */
export async function openSubject(request: SubjectRequest, given: Omit<FeedOptions, "channels">): Promise<Subject> {
  const { model, recipe, data } = request;
  const channels = channelsFor(model);
  const how = { ...given, ...(channels && { channels }) };
  if (isDetector(model)) return openDetectorSubject(request, how);
  return classifierSubject(request, await openFeed(data, recipe, recipe.seed, how));
}

function isDetector({ detection }: Model): boolean {
  return detection !== undefined;
}
