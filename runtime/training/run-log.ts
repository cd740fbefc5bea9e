/** `training.log`: what a training said, with the time, for those who were not there: over night, or hung up. */
import { appendFileSync, closeSync, fstatSync, openSync, readSync } from "node:fs";
import { judgedWords } from "./judge.js";
import type { TrainEvent } from "./request.js";

export interface RunLog {
  /** One line. Best effort: a log that can't be written ends no training. */
  add(line: string): void;
}

export function openRunLog(file: string): RunLog {
  // A process that was killed, or a full disk, may have left half a line.
  let before = endsWithin(file) ? "\n" : "";
  return {
    add(line) {
      try {
        appendFileSync(file, `${before}${new Date().toISOString()} ${line.replaceAll(/\s*\n\s*/g, " ")}\n`);
        before = "";
      } catch {
        // The disk is full, say: the checkpoint will tell.
        before = "\n";
      }
    },
  };
}

/** Whether its last line has no end. */
function endsWithin(file: string): boolean {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, "r");
    const { size } = fstatSync(descriptor);
    const last = Buffer.alloc(1);
    return size > 0 && readSync(descriptor, last, 0, 1, size - 1) === 1 && last.toString() !== "\n";
  } catch {
    return false;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** Hands events to the listener, and to the log those that are worth a line. */
export function emitter(log: RunLog, listener: ((event: TrainEvent) => void) | undefined): (event: TrainEvent) => void {
  return (event) => {
    const line = lineOf(event);
    if (line !== undefined) log.add(line);
    listener?.(event);
  };
}

function lineOf(event: TrainEvent): string | undefined {
  switch (event.kind) {
    case "start":
      return startLine(event);
    case "validation": {
      const { metrics, best } = event;
      return `step ${metrics.step}: validation ${judgedWords(metrics)}${best ? ", the best so far" : ""}`;
    }
    case "warning":
      return `warning: ${event.message}`;
    case "notice":
      return event.message;
    default:
      return undefined;
  }
}

function startLine({ step, phase, device, length, ranks }: Extract<TrainEvent, { kind: "start" }>): string {
  const made = step - (phase?.before ?? 0);
  const what = phase ? `phase ${phase.number} of ${phase.of}, ${phase.name}, ` : "";
  const begins = made === 0 ? "begins" : `goes on after ${made} updates`;
  const where = ranks ? ` on ${ranks.size} ranks (${ranks.engine}, gradients in ${ranks.gradients})` : "";
  return `${what}${begins} on ${device}${where}, ${length.steps} updates in all`;
}
