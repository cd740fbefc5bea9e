/** A training that is kept in a folder: its metrics, its checkpoints, what TensorBoard shows, and what it ends in. */
import type { TrainingProgram } from "../../compiler/training/contract.js";
import { readBest, saveCheckpoint, type Checkpoint } from "./checkpoint.js";
import { startEventFile } from "./event-file.js";
import { ImageLog } from "./image-log.js";
import type { Lock } from "./lock.js";
import type { MetricsFile } from "./metrics.js";
import type { Records } from "./records.js";
import type { RunFolder } from "./run-folder.js";
import { writeTrained } from "./write-trained.js";

/** What is kept, and where. */
export interface FolderParts extends Pick<Checkpoint, "identity" | "length" | "trained"> {
  readonly run: RunFolder;
  readonly lock: Lock;
  readonly metrics: MetricsFile;
  readonly program: TrainingProgram;
  /** Updates that were made before. */
  readonly step: number;
  /** Images that TensorBoard shows, at most. */
  readonly images?: number | undefined;
}

/** @throws {FileError} */
export function folderRecords({ run, lock, metrics, program, step: begun, images, ...same }: FolderParts): Records {
  const events = startEventFile(run.folder, begun);
  const { algorithms = {} } = program.options;
  return {
    shown: {
      events,
      ...(images && { classifiedImages: (recipe, feed) => new ImageLog(events, images, { recipe }, feed) }),
    },
    model: run.model,
    add: (line) => metrics.add(line),
    scalars: (step, values) => events.scalars(step, values),
    flush: () => metrics.flush(),
    check: () => lock.check(),
    checkpoint: (kept, best) => saveCheckpoint(run.checkpoints, { ...same, ...kept, algorithms }, program.state, best),
    best: () => readBest(run.checkpoints, program.state),
    finish: (model, weights, trained) => writeTrained(run, model, weights, trained),
  };
}
