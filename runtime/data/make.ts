/** What threads make: batches of images, or of images with objects. */
import { makeBatch, type BatchOrder, type MadeBatch, type Pause } from "./batch.js";
import { makeDetectionBatch, type DetectionOrder, type MadeDetectionBatch } from "./detection/batch.js";
import type { Samples } from "./samples.js";
import type { Pipeline } from "../images/transforms/pipeline.js";

/** What is made of an order. */
export type Made<O extends BatchOrder = BatchOrder> = O extends DetectionOrder ? MadeDetectionBatch : MadeBatch;

/** Makes batches, on whatever thread. */
export type Maker = <O extends BatchOrder>(order: O) => Promise<Made<O>>;

/** @throws {DataError} */
export async function make<O extends BatchOrder>(
  order: O,
  pipeline: Pipeline,
  samples: Samples,
  pause: Pause,
): Promise<Made<O>> {
  const made = isDetection(order)
    ? await makeDetectionBatch(order, pipeline, samples, pause)
    : await makeBatch(order, pipeline, samples, pause);
  return made as Made<O>;
}

function isDetection(order: BatchOrder): order is DetectionOrder {
  return "objects" in order;
}
