/** A thread that makes batches and inputs of models; started by pool.ts. */
import { parentPort, workerData } from "node:worker_threads";
import { sharePixelCount } from "../images/memory.js";
import { makerOf, type Order, type Result } from "./make.js";
import { DataError } from "../data-error.js";
import type { Reply, Request, WorkerData } from "./pool.js";
import { SAMPLES } from "./sample.js";
import { useOneThreadPerImage } from "./sources/image-file.js";

const { stop, pixels } = workerData as WorkerData;
const port = parentPort!;
const makers = new Map<number, (order: Order) => Promise<Result>>();

class Stopped extends Error {}

const pause = () => {
  if (Atomics.load(stop, 0) !== 0) throw new Stopped();
};

async function answer({ id, plan, order }: Extract<Request, { kind: "order" }>): Promise<void> {
  try {
    const { made, memory } = await makers.get(plan)!(order);
    port.postMessage({ kind: "made", id, made } satisfies Reply, memory);
  } catch (error) {
    if (error instanceof Stopped) port.postMessage({ kind: "stopped", id } satisfies Reply);
    else {
      const message = error instanceof Error ? error.message : String(error);
      port.postMessage({ kind: "failed", id, message, expected: error instanceof DataError } satisfies Reply);
    }
  }
}

sharePixelCount(pixels);
await useOneThreadPerImage();
port.on("message", (request: Request) => {
  if (request.kind === "plan") makers.set(request.id, makerOf(request.plan, SAMPLES, pause));
  else if (request.kind === "order") void answer(request);
  else port.close();
});
