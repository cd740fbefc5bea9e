/** What was measured while training, one JSON object a line: `metrics.jsonl`. */
import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from "node:fs";
import { fileFailure, writeWhole } from "../files.js";
import type { Judged } from "./judge.js";
import type { Position } from "./position.js";

/** An update. */
export interface StepMetrics {
  readonly kind: "step";
  /** Updates that were made, this one included: over all phases. */
  readonly step: number;
  /** Of a recipe that is made of phases: in which it was made. */
  readonly phase?: string;
  /** Epochs that were over, with a fraction: of the phase. */
  readonly epoch: number;
  /** Mean over the batch. */
  readonly loss: number;
  /** Those that it is the weighted sum of, by their names, where the network states some. */
  readonly losses?: Readonly<Record<string, number>>;
  /**
   * Of the batch, with its augmentations and the weights before the update, 0 to 1. Of images that are mixed of two, the
   * class with the larger share is the right one. Absent of a detector.
   */
  readonly error?: number;
  readonly learningRate: number;
  readonly imagesPerSecond: number;
  /** Share of the time that the device waited for the batch, 0 to 1. */
  readonly waiting: number;
  /** Seconds since training began, over all its runs. */
  readonly seconds: number;
  /** Euclidean norm of all gradients, before clipping; where they are clipped or it is asked for. */
  readonly gradientNorm?: number;
  /** In mixed precision: what the loss was multiplied by. */
  readonly lossScale?: number;
  /** In mixed precision: true where the weights were left as they were, for a gradient overflowed. */
  readonly skipped?: true;
}

/** A validation, by the running statistics; `test` is the last one, on data that nothing was chosen by. */
export interface ValidationMetrics extends Judged {
  readonly kind: "validation" | "test";
  readonly step: number;
  readonly phase?: string;
  readonly epoch: number;
  /** By the weights as they are, where the others are by their averages and the recipe asks for both. */
  readonly raw?: Judged;
  readonly seconds: number;
}

/** A line of `metrics.jsonl`. */
export type Metrics = StepMetrics | ValidationMetrics;

export interface MetricsFile {
  add(metrics: Metrics): void;
  /** What was added is on the disk when it returns: to be called before a checkpoint that it goes with. */
  flush(): void;
  close(): void;
}

/**
 * Opens it for appending, after everything later than a position (and a line that was cut off) was taken away, and what
 * will be made again: a test, and a validation that is due.
 *
 * @throws {FileError}
 */
export async function openMetrics(
  file: string,
  { step, validationDue }: Pick<Position, "step" | "validationDue">,
): Promise<MetricsFile> {
  const isMade = (metrics: Metrics): boolean =>
    metrics.step < step ||
    (metrics.step === step && (metrics.kind === "step" || (metrics.kind === "validation" && validationDue !== true)));
  const kept = step === 0 ? [] : readMetrics(file).filter((metrics) => metrics.kind !== "test" && isMade(metrics));
  await writeWhole(file, [Buffer.from(kept.map((metrics) => `${JSON.stringify(metrics)}\n`).join(""))]);
  const descriptor = openSync(file, "a");
  const guarded = (action: () => void): void => {
    try {
      action();
    } catch (cause) {
      throw fileFailure(file, cause);
    }
  };
  return {
    add: (metrics) => guarded(() => writeAll(descriptor, `${JSON.stringify(metrics)}\n`)),
    flush: () => guarded(() => fsyncSync(descriptor)),
    close: () => closeSync(descriptor),
  };
}

function writeAll(descriptor: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let done = 0; done < bytes.length;) done += writeSync(descriptor, bytes, done);
}

/** Lines that are whole, in their order; those that are not JSON are left out. Empty where there is no file. */
export function readMetrics(file: string): Metrics[] {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
  return text.split("\n").flatMap((line) => {
    try {
      const metrics = JSON.parse(line) as Metrics;
      return typeof metrics === "object" && typeof metrics.step === "number" ? [metrics] : [];
    } catch {
      return [];
    }
  });
}
