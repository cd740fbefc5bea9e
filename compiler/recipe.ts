/** A `recipe` declaration: how a network is trained. Plain data; sections 3.4 and 4.2 of the paper are two of them. */
import type { Optimizer } from "./training/optimizers/index.js";
import type { TransformSettings } from "./words/transforms.js";

/** What the learning rate does after the warm-up; `rate` is the base rate, counted in updates from the first. */
export type Schedule =
  | { readonly kind: "constant" }
  /** Divided by `by` at each of these updates (or epochs). */
  | { readonly kind: "divide"; readonly by: number; readonly at: readonly number[]; readonly unit: "step" | "epoch" }
  /** Divided by `by` when the validation error has not improved for `patience` validations, at most `times` times. */
  | { readonly kind: "plateau"; readonly by: number; readonly patience: number; readonly times: number }
  /** Half a cosine from the base rate to `to` at the end. */
  | { readonly kind: "cosine"; readonly to: number }
  /** A straight line from the base rate to `to` at the end. */
  | { readonly kind: "linear"; readonly to: number }
  /**
   * Up from the base rate / `divFactor` to the base rate in a share of `pctStart` of all updates, then down to the
   * first rate / `finalDivFactor` (Smith, arXiv:1708.07120), as PyTorch's OneCycleLR without its momentum.
   */
  | {
      readonly kind: "one_cycle";
      readonly pctStart: number;
      readonly divFactor: number;
      readonly finalDivFactor: number;
      readonly anneal: "cosine" | "linear";
    }
  /**
   * Half a cosine from the base rate to `to`, again and again; each cycle is `multiply` times as long as the one before
   * it (Loshchilov and Hutter, arXiv:1608.03983). `every` is the length of the first.
   */
  | {
      readonly kind: "cosine_restarts";
      readonly every: number;
      readonly unit: "step" | "epoch";
      readonly multiply: number;
      readonly to: number;
    };

/** A lower learning rate at first. */
export type WarmUp =
  /** Constant until the training error of an epoch's updates is below `error`: ResNet-110 (section 4.2). */
  | { readonly kind: "until_error"; readonly rate: number; readonly error: number }
  /** A straight line from `rate` to the base rate over so many updates. */
  | { readonly kind: "steps"; readonly rate: number; readonly steps: number }
  /** The same over so many epochs. */
  | { readonly kind: "epochs"; readonly rate: number; readonly epochs: number };

/** Ends a training whose validation error has not fallen by more than `minDelta` (0 to 1) for `patience` validations. */
export interface EarlyStop {
  readonly patience: number;
  readonly minDelta: number;
}

/** Stages that stay as they are for the first updates (or epochs). */
export interface Thaw {
  readonly stages: readonly string[];
  readonly after: number;
  readonly unit: "step" | "epoch";
}

/** The learning rate of a stage, block, layer or parameter is so many times the others'. */
export interface StageRate {
  readonly stage: string;
  readonly times: number;
}

/** Parameters by what they are, not by where: weights of layers, biases, or scales and offsets (of norms, for the most part). */
export type ParameterKind = "weights" | "biases" | "norms";

export const PARAMETER_KINDS: readonly ParameterKind[] = ["weights", "biases", "norms"];

/** How parameters of a kind are updated otherwise than by the recipe's numbers: Caffe's `lr_mult` and `decay_mult`. */
export interface ParameterRate {
  readonly kind: ParameterKind;
  /** The learning rate is so many times the others', beside what a {@link StageRate} makes of it. Default 1. */
  readonly times?: number;
  /** The weight decay is so many times the optimiser's. Default 1. */
  readonly decayTimes?: number;
}

/** How the images of a batch are mixed with one another. */
export interface Mixing {
  /** Shares are drawn from Beta(alpha, alpha): below 1 mostly near 0 and 1, above mostly near the middle. */
  readonly alpha: number;
  /** Share of the batches that it is done to. */
  readonly probability: number;
}

/** The settings that mix images; of several that a recipe has, one is drawn for each batch. */
export const MIXINGS = ["mixup", "cutmix"] as const;
export type MixingName = (typeof MIXINGS)[number];

/** Whether a label is shares of several classes. */
export function mixesImages(recipe: Pick<Recipe, MixingName>): boolean {
  return MIXINGS.some((name) => recipe[name] !== undefined);
}

export type { TransformSettings };

/**
 * One phase of a recipe, to be looked at by itself.
 *
 * @param name may be left out where there is but one
 * @throws {RangeError} where there is none of that name, or several and none is named
 */
export function phaseNamed(recipe: Recipe, name?: string): Recipe {
  const { phases } = recipe;
  if (phases === undefined && name === undefined) return recipe;
  const names = phases?.map((phase) => phase.name).join(", ");
  const found = phases?.find((phase) => phase.name === name);
  if (found) return found;
  if (names === undefined) throw new RangeError(`recipe ${recipe.name} has no phases: leave ${name} out`);
  throw new RangeError(
    name === undefined
      ? `recipe ${recipe.name} is made of phases (${names}): name one of them`
      : `recipe ${recipe.name} has no phase ${name}; it has ${names}`,
  );
}

/** What is done one after the other: most recipes are one. */
export function phasesOf(recipe: Recipe): readonly [Recipe, ...Recipe[]] {
  const [first = recipe, ...others] = recipe.phases ?? [];
  return [first, ...others];
}

/** Whether a transform subtracts an image of one size, which images at several scales do not have. */
export function subtractsImage({ kind, ...settings }: TransformSettings): boolean {
  return kind === "subtract_mean" && settings["per"] !== "channel";
}

/**
 * How a network is trained, with everything that was left open filled in. Where it is made of phases, its own settings are
 * those of the last one.
 */
export interface Recipe {
  readonly name: string;
  /** What it is made of, one after the other, each a recipe by its own name. Absent: it is one, and has no name for it. */
  readonly phases?: readonly Recipe[];
  /** Losses that are learned, by their paths or those of what they are in. Absent: all that the network states. */
  readonly learned?: readonly string[];
  /** Regions are those that the detector proposed at the end of this phase, in place of what it proposes itself. */
  readonly proposals?: string;
  /** A phase begins with what the training began with, not with what the phase before it ended with. */
  readonly beginsAnew?: true;
  readonly optimizer: Optimizer;
  /** Images of an update. */
  readonly batch: number;
  /** Parts that a batch is computed in, one after the other; their gradients are averaged. */
  readonly accumulate: number;
  readonly learningRate: number;
  readonly schedule: Schedule;
  readonly warmUp?: WarmUp;
  /** When it ends. */
  readonly stop: { readonly steps: number } | { readonly epochs: number };
  /** When it ends before that. */
  readonly earlyStop?: EarlyStop;
  readonly labelSmoothing: number;
  /** Images are blended (Zhang et al., arXiv:1710.09412). */
  readonly mixup?: Mixing;
  /** A rectangle of an image is another's (Yun et al., arXiv:1905.04899). */
  readonly cutmix?: Mixing;
  /** Of each class in the loss; `balanced`: in inverse proportion to its number of training images. */
  readonly classWeights?: "balanced" | readonly number[];
  /** Each class is drawn equally often, however many images it has. Absent: every image once an epoch. */
  readonly sampling?: "balanced";
  readonly clipNorm?: number;
  /** The norm of all gradients is measured though they are not clipped. */
  readonly gradientNorm?: true;
  readonly emaDecay?: number;
  /** The decay of update n (from 0) is at most (1 + n) / (10 + n): a short training is not an average of its beginning. */
  readonly emaWarmUp?: true;
  /** Validations measure the weights as they are too, not only their averages. */
  readonly validateRaw?: true;
  readonly precision: "fp32" | "mixed";
  /** Paths of stages, blocks or layers whose parameters and batch norms stay as they are. */
  readonly frozenStages: readonly string[];
  /** Those that are frozen only at first. */
  readonly thaws?: readonly Thaw[];
  /** Of two that hold for a parameter, the longer path's counts. */
  readonly stageRates?: readonly StageRate[];
  /** At most one of a kind. */
  readonly parameterRates?: readonly ParameterRate[];
  /** The last batch norm of each residual function begins with a scale of 0: every block as an identity (arXiv:1706.02677). */
  readonly zeroInitResidual?: true;
  readonly frozenBatchNorm: boolean;
  /** Stages whose values are computed again on the way back instead of being kept. */
  readonly recompute: readonly string[] | true;
  readonly seed: number;
  /** Updates between validations; undefined: once an epoch. */
  readonly validateEvery?: number;
  /** Updates between checkpoints; undefined: once an epoch. */
  readonly checkpointEvery?: number;
  /** Images over which the batch norms' statistics are averaged after training; 0: the running averages stay. */
  readonly preciseStatistics: number;
  /** Shorter sides at which whole images are tested after training, scores averaged: the paper's multi-scale testing. */
  readonly testScales?: readonly number[];
  readonly train: readonly TransformSettings[];
  /** Empty: as `train` without what is random. */
  readonly evaluate: readonly TransformSettings[];
}
