/** What a training is asked for, what happens while it runs, and how it ends. */
import type { ParameterValues } from "../../compiler/emit/parameters.js";
import type { Model } from "../../compiler/model.js";
import type { Recipe } from "../../compiler/recipe.js";
import type { AlgorithmChoices } from "../../compiler/tuning/choices.js";
import type { DataSet } from "../data/index.js";
import type { Device, DeviceRequest } from "../onnx/device.js";
import type { Ranks } from "../parallel/ranks.js";
import type { FeedOptions } from "./feed.js";
import type { StepMetrics, ValidationMetrics } from "./metrics.js";
import type { Position } from "./position.js";
import type { RunFolder } from "./run-folder.js";
import type { TrainingLength } from "./schedule.js";

/** What is trained, how, on what, and where it is written. */
export interface TrainRequest {
  readonly model: Model;
  readonly recipe: Recipe;
  readonly data: DataSet;
  /** Where everything is written; made if it is not there. */
  readonly folder: string;
  /** As the user named them. */
  readonly names: { readonly target: string; readonly recipe: string; readonly data: string };
}

/** How a training runs; the recipe says what it computes. */
export interface TrainOptions extends Pick<FeedOptions, "workers" | "strict"> {
  /** Default `auto`. */
  readonly device?: DeviceRequest;
  /** Threads that one operator may use on the processor. Results depend on it. */
  readonly threads?: number;
  /** Goes on from the newest checkpoint in the folder, if there is one. */
  readonly resume?: boolean;
  /** Initial weights, by parameter path. */
  readonly weights?: ParameterValues;
  /** How operations are written that were measured on this machine. What goes on is written as it was when it began. */
  readonly algorithms?: AlgorithmChoices;
  /** Runs graphs in the thread that calls. Default: in one of their own. */
  readonly sameThread?: boolean;
  /**
   * Ends training after the update that is being made, and a validation or a measurement after the batch; a checkpoint is
   * written. Its reason, where it is a text, is kept in the log.
   */
  readonly signal?: AbortSignal;
  /** Awaited before every update: a training pauses for as long as it takes. */
  readonly between?: () => void | Promise<void>;
  /** The trained model is made of the best checkpoint, not of the last update. Default false. */
  readonly best?: boolean;
  /** So many images are shown in TensorBoard: of the first training batch, and of each validation. Default 0: none. */
  readonly images?: number;
  /**
   * Processes that train together, each called with the same request: each computes its share of every batch, and the first
   * keeps the records and tells what happens. Default: this one alone.
   */
  readonly ranks?: Ranks;
  /** As what gradients go from rank to rank: `fp16` halves the bytes, and rounds. Default fp32. */
  readonly gradients?: GradientFormat;
  /** Told what happens, in order. */
  readonly onEvent?: (event: TrainEvent) => void;
  /** Version of resnetc, for reports. */
  readonly version?: string;
}

/** As what gradients go from rank to rank. */
export type GradientFormat = "fp32" | "fp16";

/** Several processes that train together: how many, on how many machines, what connects them, and what they send. */
export interface RanksInfo {
  readonly size: number;
  readonly machines: number;
  readonly engine: string;
  readonly gradients: GradientFormat;
}

/** What happens while a training runs, as it is reported. */
export type TrainEvent =
  | {
      readonly kind: "start";
      readonly device: Device;
      readonly deviceReason: string;
      /** Updates that were made before. */
      readonly step: number;
      /** Updates of the training, or of the phase that begins. */
      readonly length: TrainingLength;
      /** Of a recipe that is made of phases: its name, its number from 1, and how many there are; updates before it. */
      readonly phase?: {
        readonly name: string;
        readonly number: number;
        readonly of: number;
        readonly before: number;
      };
      readonly batch: number;
      /** Where several processes train together. */
      readonly ranks?: RanksInfo;
      /** Kinds of operations that are written as was measured. */
      readonly tuned: number;
    }
  | { readonly kind: "step"; readonly metrics: StepMetrics }
  | { readonly kind: "validation"; readonly metrics: ValidationMetrics; readonly best: boolean }
  /** How far a validation is, in images. */
  | { readonly kind: "validating"; readonly done: number; readonly total: number }
  /** How far it is with what a detector proposes for the training images, to be kept for a later phase. */
  | { readonly kind: "proposing"; readonly done: number; readonly total: number }
  | { readonly kind: "checkpoint"; readonly file: string }
  | { readonly kind: "warning"; readonly message: string }
  /** What was done that the user may not expect, and is no mistake. */
  | { readonly kind: "notice"; readonly message: string };

/** Which weights the trained model is made of. */
export interface Exported {
  readonly from: "last" | "best";
  /** Updates after which they were so. */
  readonly step: number;
  /** Of the validation that made them the best, 0 to 1. */
  readonly error?: number;
  readonly mAP?: number;
  readonly AP?: number;
}

/** How a training ended, or where it was stopped. */
export interface TrainResult {
  /** Updates that were made, in all. */
  readonly step: number;
  /** False where the signal ended it before its time. */
  readonly finished: boolean;
  /** The last validation. */
  readonly validation?: ValidationMetrics;
  /** By the recipe's whole evaluation (ten crops, say), on the test images, or where there are none the validation's. */
  readonly test?: ValidationMetrics;
  readonly best?: Position["best"];
  /** Absent where training did not end. */
  readonly exported?: Exported;
  /** Why it ended before the recipe's last update, where it did. */
  readonly stoppedEarly?: string;
  /** Share of the time that the device waited for batches, 0 to 1. */
  readonly waiting: number;
  /** Images that could not be read. */
  readonly unreadable: number;
  readonly run: RunFolder;
}
