/** Where a training is: all that is remembered from one update to the next besides the tensors. Plain data. */
import type { Progress } from "./early-stopping.js";
import type { Compared } from "./judge.js";
import type { LossScale } from "./loss-scale.js";
import { SCHEDULE_START, type ScheduleState } from "./schedule.js";

export interface Position {
  /** Updates that were made, over all phases of the recipe. */
  readonly step: number;
  /** Of a recipe that is made of phases: which of them it is, from 0, and the updates before it. Absent: the first. */
  readonly phase?: { readonly index: number; readonly before: number };
  readonly schedule: ScheduleState;
  /** Sums over the epoch that is not over yet. */
  readonly epoch: EpochSums;
  /** The validation with the lowest error, 0 to 1; where images have any number of labels, with the highest mAP, of a detector with the highest AP. */
  readonly best?: { readonly step: number } & Compared;
  /** The validation that belongs to this update was not made yet: training was stopped before or within it. */
  readonly validationDue?: true;
  /** How validations went, where the recipe ends a training that gets no better. */
  readonly progress?: Progress;
  /** In mixed precision. */
  readonly lossScale?: LossScale;
  /** Seconds that training took, over all its runs. */
  readonly seconds: number;
}

export interface EpochSums {
  readonly images: number;
  readonly correct: number;
}

/** Updates before the phase that it is in. */
export function beforePhase({ phase }: Pick<Position, "phase">): number {
  return phase?.before ?? 0;
}

/** Where the phase of this number (from 0) begins, after the one before has ended. */
export function startOf(index: number, { step, seconds }: Pick<Position, "step" | "seconds">): Position {
  return { ...START, step, seconds, phase: { index, before: step } };
}

export const START: Position = { step: 0, schedule: SCHEDULE_START, epoch: { images: 0, correct: 0 }, seconds: 0 };
