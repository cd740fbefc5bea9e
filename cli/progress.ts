/** How far a long task is: a bar on a terminal, now and then a plain line elsewhere. */

import { isQuiet } from "./terminal.js";

export interface Progress {
  /** How many of the total are done. */
  update(done: number): void;
  /** Always to be called, also when the task failed. */
  stop(): void;
}

export interface ProgressOptions {
  readonly label: string;
  readonly total: number;
  /** What is counted: `images`. */
  readonly unit: string;
}

/** Seconds between two plain lines. */
const LINE_EVERY = 5;

export async function startProgress({ label, total, unit }: ProgressOptions): Promise<Progress> {
  const stream = process.stderr;
  if (isQuiet()) return { update: () => undefined, stop: () => undefined };
  return stream.isTTY ? bar(label, total, unit) : lines(label, total, unit, (text) => stream.write(`${text}\n`));
}

async function bar(label: string, total: number, unit: string): Promise<Progress> {
  const { SingleBar, Presets } = (await import("cli-progress")).default;
  const format = `${label} {bar} {value}/{total} ${unit}, {eta_formatted} left`;
  const shown = new SingleBar(
    { format, stream: process.stderr, hideCursor: true, clearOnComplete: true },
    Presets.rect,
  );
  shown.start(total, 0);
  return { update: (done) => shown.update(done), stop: () => shown.stop() };
}

/** `classifying: 120/500 images, 41 images/s, 9 s left`; exported to be tested with a clock. */
export function lines(
  label: string,
  total: number,
  unit: string,
  write: (text: string) => void,
  now: () => number = () => performance.now() / 1000,
): Progress {
  const start = now();
  let last = start;
  return {
    update(done) {
      const time = now();
      if (done <= 0 || time - last < LINE_EVERY) return;
      last = time;
      const rate = done / (time - start);
      const shownRate = rate >= 10 ? rate.toFixed(0) : rate.toPrecision(2);
      write(`${label}: ${done}/${total} ${unit}, ${shownRate} ${unit}/s, ${Math.ceil((total - done) / rate)} s left`);
    },
    stop() {
      // The command's own output says that it is done.
    },
  };
}
