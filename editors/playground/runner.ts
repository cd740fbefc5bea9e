/** A worker that runs and trains models: begun when it is needed, and ended to give its memory back. */
import type { ImageClass, Image, TrainEvent } from "../../runtime/web/index.js";
import type { DeviceRequest } from "../../compiler/device.js";

/** What a training is asked for. */
export interface Training {
  readonly source: string;
  readonly target: string;
  /** Absent: `shapes`. */
  readonly classes?: readonly ImageClass[];
  /** From the shipped weights, with a new head where the classes differ. */
  readonly pretrained: boolean;
  readonly steps: number;
  readonly batch: number;
  readonly rate: number;
  readonly device: DeviceRequest;
}

/** To the worker. */
export type Order =
  | {
      readonly kind: "classify";
      readonly image: Blob;
      readonly device: DeviceRequest;
      readonly onnx?: Uint8Array;
    }
  | { readonly kind: "train"; readonly training: Training }
  | { readonly kind: "pause"; readonly paused: boolean }
  | { readonly kind: "stop" };

/** From it. */
export type Report =
  | {
      readonly kind: "classified";
      readonly predictions: readonly { readonly label: string; readonly probability: number }[];
      readonly device: string;
      readonly milliseconds: number;
    }
  | { readonly kind: "event"; readonly event: TrainEvent }
  | {
      readonly kind: "trained";
      readonly onnx: Uint8Array;
      readonly finished: boolean;
      readonly step: number;
      readonly confusion?: string;
      readonly error?: number;
    }
  | { readonly kind: "failed"; readonly message: string };

export type { Image, ImageClass, TrainEvent };

export function startRunner(onReport: (report: Report) => void): Worker {
  const worker = new Worker(new URL("runner-worker.js", import.meta.url), { type: "module" });
  worker.addEventListener("message", ({ data }: MessageEvent<Report>) => onReport(data));
  worker.addEventListener("error", ({ message }) =>
    onReport({ kind: "failed", message: message || "the worker ended" }),
  );
  return worker;
}
