/** A `recipe` declaration: how a network is trained. Plain data; sections 3.4 and 4.2 of the paper are two of them. */
import type { Optimizer } from "./training/contract.js";

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
  | { readonly kind: "linear"; readonly to: number };

export type WarmUp =
  /** Constant until the training error of an epoch's updates is below `error`: ResNet-110 (section 4.2). */
  | { readonly kind: "until_error"; readonly rate: number; readonly error: number }
  /** A straight line from `rate` to the base rate over so many updates. */
  | { readonly kind: "steps"; readonly rate: number; readonly steps: number };

/** A transform of runtime/data/transforms, by name, with the settings that were given. */
export interface TransformSettings {
  readonly kind: string;
  readonly [setting: string]: number | boolean | string | readonly number[];
}

/** Whether a transform subtracts an image of one size, which pictures at several scales do not have. */
export function subtractsImage({ kind, ...settings }: TransformSettings): boolean {
  return kind === "subtract_mean" && settings["per"] !== "channel";
}

export interface Recipe {
  readonly name: string;
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
  readonly labelSmoothing: number;
  readonly clipNorm?: number;
  readonly emaDecay?: number;
  readonly precision: "fp32" | "mixed";
  /** Paths of stages whose parameters and batch norms stay as they are. */
  readonly frozenStages: readonly string[];
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
  /** Shorter sides at which whole pictures are tested after training, scores averaged: the paper's multi-scale testing. */
  readonly testScales?: readonly number[];
  readonly train: readonly TransformSettings[];
  /** Empty: as `train` without what is random. */
  readonly evaluate: readonly TransformSettings[];
}
