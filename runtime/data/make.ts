/** What threads make: batches of images, or of images with objects, and single images for a model that runs. */
import { makeBatch, type BatchOrder, type MadeBatch, type Pause } from "./batch.js";
import { makeDetectionBatch, type DetectionOrder, type MadeDetectionBatch } from "./detection/batch.js";
import type { SampleReference, Samples } from "./samples.js";
import { modelInput, ownMemory, type InputPlan, type ModelInput } from "../images/model-input.js";
import { orProblem } from "../images/source.js";
import { preparePipeline, type Pipeline, type PipelineOptions } from "../images/transforms/pipeline.js";
import { asImage } from "../images/transforms/raster.js";
import type { TransformSettings } from "../images/transforms/index.js";

/** What is made of an order. */
export type Made<O extends BatchOrder = BatchOrder> = O extends DetectionOrder ? MadeDetectionBatch : MadeBatch;

/** Makes batches, on whatever thread. */
export type Maker = <O extends BatchOrder>(order: O) => Promise<Made<O>>;

/** What a pipeline is made of: the threads make their own from it. */
export interface PipelinePlan extends PipelineOptions {
  readonly kind: "pipeline";
  readonly transforms: readonly TransformSettings[];
}

/** What a thread is to make of every order that names the plan. */
export type Plan = PipelinePlan | InputPlan;

/** For a plan of a pipeline a batch, for one of a model's input an image. */
export type Order = BatchOrder | SampleReference;

/** An input, or the one line, naming the image, that says why there is none. */
export type MadeInput<P extends InputPlan = InputPlan> = ModelInput<P> | { readonly error: string };

/** What came of an order, and the memory of it that is the maker's own to give away. */
export interface Result {
  readonly made: Made | MadeInput;
  readonly memory: readonly ArrayBuffer[];
}

/**
 * What carries out the orders of a plan.
 *
 * @throws {DataError} where the plan's transforms can't be run; what is returned may throw it, too
 */
export function makerOf(plan: Plan, samples: Samples, pause: Pause): (order: Order) => Promise<Result> {
  if (plan.kind === "pipeline") {
    const pipeline = preparePipeline(plan.transforms, plan);
    return async (order) => {
      const made = await make(order as BatchOrder, pipeline, samples, pause);
      return { made, memory: [made.images.buffer] };
    };
  }
  const inputOf = modelInput(plan);
  return async (order) => {
    await pause();
    const reference = order as SampleReference;
    const made = await orProblem(samples.describe(reference), async () => {
      const image = await samples.open(reference);
      // Whole: a decoder's smaller image is not quite what a filter makes of all pixels.
      return inputOf(asImage(await image.pixels(1)));
    });
    return { made, memory: "error" in made ? [] : ownMemory(made) };
  };
}

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
