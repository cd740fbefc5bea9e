/** Where a training is kept: a folder of Node's, or a page's memory. */
import type { Model } from "../../compiler/model.js";
import type { Trained } from "../weights/trained.js";
import type { Values } from "./engine.js";
import type { Metrics } from "./metrics.js";
import type { Position } from "./position.js";
import type { JudgeParts } from "./subject.js";

/** A place in a training, and the state there. */
export interface Kept {
  readonly position: Position;
  readonly state: Values;
}

/** What a course hands over as it goes. */
export interface Records {
  /** Where validations show images. */
  readonly shown: Pick<JudgeParts, "events" | "classifiedImages">;
  /** What the trained model is called in messages. */
  readonly model: string;
  /** A line of what was measured. */
  add(metrics: Metrics): void;
  /** Numbers by tag: `train/loss`. */
  scalars(step: number, values: Readonly<Record<string, number>>): void;
  /** What was added is safe when it returns. */
  flush(): void;
  /** Nobody else has taken the place. @throws {TrainingError} */
  check(): void;
  /**
   * Keeps it while training goes on.
   *
   * @returns its file, where it is one
   */
  checkpoint(kept: Kept, best: boolean): Promise<string | undefined>;
  /** The best that was kept. @throws {TrainingError} where there is none */
  best(): Promise<Kept>;
  /** What the training ended in. */
  finish(model: Model, weights: ReadonlyMap<string, Float32Array>, trained: Trained): Promise<void>;
}

/** Of a process that keeps none: another one does. */
export function noRecords({ model }: Pick<Records, "model">): Records {
  return {
    shown: {},
    model,
    add: () => undefined,
    scalars: () => undefined,
    flush: () => undefined,
    check: () => undefined,
    checkpoint: () => Promise.resolve(undefined),
    best: () => Promise.reject(new TypeError("nothing is kept here")),
    finish: () => Promise.resolve(),
  };
}
