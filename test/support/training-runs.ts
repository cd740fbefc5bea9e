/** What tests of trainings have in common, whatever is trained. */
import path from "node:path";
import { readMetrics, type Metrics } from "../../runtime/training/metrics.js";
import type { TrainOptions } from "../../runtime/training/request.js";

/** What a training's folder measured, without what depends on when and how fast. */
export function lasting(folder: string): unknown[] {
  return readMetrics(path.join(folder, "metrics.jsonl")).map((metrics: Metrics) => {
    const { seconds: _s, ...rest } = metrics;
    return rest.kind === "step" ? { ...rest, imagesPerSecond: 0, waiting: 0 } : rest;
  });
}

/** Stops after this many updates. */
export function stoppingAfter(step: number, reason?: string): Pick<TrainOptions, "signal" | "onEvent"> {
  const stop = new AbortController();
  return {
    signal: stop.signal,
    onEvent: (event) => event.kind === "step" && event.metrics.step === step && stop.abort(reason),
  };
}
