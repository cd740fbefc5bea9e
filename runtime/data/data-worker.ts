/** A thread that makes batches; started by pool.ts. */
import { parentPort, workerData } from "node:worker_threads";
import { sharePixelCount } from "../images/memory.js";
import { make } from "./make.js";
import { DataError } from "../data-error.js";
import { preparePipeline, type Pipeline } from "../images/transforms/pipeline.js";
import type { Reply, Request, WorkerData } from "./pool.js";
import { SAMPLES } from "./sample.js";
import { useOneThreadPerImage } from "./sources/image-file.js";

const { stop, pixels } = workerData as WorkerData;
const port = parentPort!;
const pipelines = new Map<number, Pipeline>();

class Stopped extends Error {}

const pause = () => {
  if (Atomics.load(stop, 0) !== 0) throw new Stopped();
};

async function answer(request: Extract<Request, { kind: "batch" }>): Promise<void> {
  try {
    const batch = await make(request.order, pipelines.get(request.pipeline)!, SAMPLES, pause);
    port.postMessage({ kind: "made", batch } satisfies Reply, [batch.images.buffer]);
  } catch (error) {
    if (error instanceof Stopped) port.postMessage({ kind: "stopped" } satisfies Reply);
    else {
      const message = error instanceof Error ? error.message : String(error);
      port.postMessage({ kind: "failed", message, expected: error instanceof DataError } satisfies Reply);
    }
  }
}

sharePixelCount(pixels);
await useOneThreadPerImage();
port.on("message", (request: Request) => {
  if (request.kind === "pipeline") pipelines.set(request.id, preparePipeline(request.plan.transforms, request.plan));
  else if (request.kind === "batch") void answer(request);
  else port.close();
});
