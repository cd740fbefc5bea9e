/** How a training goes: a bar on a terminal, now and then a plain line elsewhere. */
import type { TrainingLength } from "../runtime/training/schedule.js";
import type { StepMetrics } from "../runtime/training/metrics.js";
import { count, duration, forTerminal, isQuiet } from "./terminal.js";

export interface TrainingProgress {
  update(metrics: StepMetrics): void;
  /** Takes the bar away for as long as something else is printed. */
  interrupt(print: () => void): void;
  stop(): void;
}

/** Seconds between two plain lines. */
const LINE_EVERY = 10;
/** Milliseconds between two images of the bar. */
const FRAME = 200;
/** Updates that what is shown is averaged over, roughly. */
const SMOOTH = 20;

/** The phase of a training that is shown, where it is made of several. */
export interface ShownPhase {
  readonly name: string;
  /** Updates before it. */
  readonly before: number;
}

export async function startTrainingProgress(
  length: TrainingLength,
  batch: number,
  phase?: ShownPhase,
): Promise<TrainingProgress> {
  const stream = process.stderr;
  const averages = new Averages(length, batch, phase);
  if (isQuiet()) return { update: () => undefined, interrupt: (print) => print(), stop: () => undefined };
  if (!stream.isTTY) return lines(averages, (text) => stream.write(`${text}\n`));
  const { SingleBar, Presets } = (await import("cli-progress")).default;
  const format = "{bar} {text}";
  const make = (): InstanceType<typeof SingleBar> =>
    new SingleBar({ format, stream, hideCursor: true, clearOnComplete: true, barsize: 20 }, Presets.rect);
  let bar: InstanceType<typeof SingleBar> | undefined;
  let drawn = 0;
  const stop = (): void => {
    bar?.stop();
    bar = undefined;
  };
  return {
    update(metrics) {
      averages.add(metrics);
      const now = performance.now();
      if (now - drawn < FRAME) return;
      drawn = now;
      if (bar === undefined) {
        bar = make();
        bar.start(length.steps, averages.made, { text: averages.text() });
      } else bar.update(averages.made, { text: averages.text() });
    },
    interrupt(print) {
      stop();
      print();
    },
    stop,
  };
}

/** Exported to be tested with a clock. */
export function lines(
  averages: Averages,
  write: (text: string) => void,
  now: () => number = () => performance.now() / 1000,
): TrainingProgress {
  let last = now();
  return {
    update(metrics) {
      averages.add(metrics);
      if (now() - last < LINE_EVERY) return;
      last = now();
      write(averages.text());
    },
    interrupt: (print) => print(),
    stop() {
      // The command says itself that it is done.
    },
  };
}

export class Averages {
  readonly #length: TrainingLength;
  readonly #batch: number;
  #last: StepMetrics | undefined;
  #loss = 0;
  /** Those that it is the sum of, by name. */
  #losses: Record<string, number> = {};
  /** Absent of a detector. */
  #error: number | undefined;
  #rate = 0;
  #waiting = 0;
  #added = 0;

  readonly #phase: ShownPhase | undefined;

  /** @param batch images of an update */
  constructor(length: TrainingLength, batch: number, phase?: ShownPhase) {
    this.#length = length;
    this.#batch = batch;
    this.#phase = phase;
  }

  /** Updates so far, of the phase. */
  get made(): number {
    return (this.#last?.step ?? 0) - (this.#phase?.before ?? 0);
  }

  add(metrics: StepMetrics): void {
    this.#last = metrics;
    this.#added += 1;
    const share = 1 / Math.min(this.#added, SMOOTH);
    const towards = (old: number, value: number): number => old + (value - old) * share;
    this.#loss = towards(this.#loss, metrics.loss);
    for (const [name, loss] of Object.entries(metrics.losses ?? {})) {
      this.#losses[name] = towards(this.#losses[name] ?? 0, loss);
    }
    if (metrics.error !== undefined) this.#error = towards(this.#error ?? 0, metrics.error);
    this.#rate = towards(this.#rate, 1 / metrics.imagesPerSecond);
    this.#waiting = towards(this.#waiting, metrics.waiting);
  }

  /** `step 120/750, epoch 0.96, loss 1.234 (aux 1.412, head.cross_entropy 0.8106), error 41.2 %, 410 images/s, waiting 1 %, 2 min left` */
  text(): string {
    if (this.#last === undefined) return "";
    const { epoch } = this.#last;
    const left = (this.#length.steps - this.made) * this.#rate * this.#batch;
    const phase = this.#phase ? `${this.#phase.name}, ` : "";
    return [
      `${phase}step ${count(this.made)}/${count(this.#length.steps)}`,
      `epoch ${epoch.toFixed(2)}`,
      `loss ${this.#loss.toPrecision(4)}${this.#parts()}`,
      ...(this.#error === undefined ? [] : [`error ${(100 * this.#error).toFixed(1)} %`]),
      `${(1 / this.#rate).toPrecision(3)} images/s`,
      `waiting ${(100 * this.#waiting).toFixed(0)} %`,
      `${duration(left)} left`,
    ].join(", ");
  }

  /** Several losses each; one alone is the loss, or has no name. */
  #parts(): string {
    const each = Object.entries(this.#losses).map(([name, loss]) => `${forTerminal(name)} ${loss.toPrecision(4)}`);
    return each.length < 2 ? "" : ` (${each.join(", ")})`;
  }
}
