/** Images made ready for a model by the threads that make batches for training, too. */
import { availableParallelism } from "node:os";
import { preparerHere, type Preparer, type PrepareImage } from "../images/preparing.js";
import type { InputPlan } from "../images/model-input.js";
import { readImage } from "../images/read.js";
import { nameOf, type NamedSource } from "../images/source.js";
import type { SessionOptions } from "../onnx/session.js";
import type { Session } from "../onnx/session-types.js";
import { dataThreads } from "./loader.js";
import { WorkerPool } from "./pool.js";
import type { SampleReference } from "./samples.js";

/** Of fewer images the last would be ready before threads have started. */
const WORTH_THREADS = 32;
/** Images that a thread has at a time: one is decoded while another is scaled. */
const AT_ONCE = 2;
/**
 * Images between two runs for each thread: at the end some threads wait for the others. Fewer where one may be large: decoded, scaled for
 * a detector, or in many views.
 */
const BETWEEN_RUNS = { small: 16, large: AT_ONCE } as const;
/** Large ones that wait, at most, with however many threads: an image for a detector takes 13 MB, a decoded one up to 300. */
const MOST_LARGE = 16;
const MOST_PIXELS_KEPT = 4;

/** For runs of a session. */
export function preparerFor(
  { device }: Pick<Session, "device">,
  { threads }: Pick<SessionOptions, "threads">,
): Preparer {
  const cores = availableParallelism();
  const isOnCores = device === "cpu";
  const busy = isOnCores ? Math.min(cores, threads ?? cores) : 1;
  const besideRuns = !isOnCores || busy < cores;
  const workers = dataThreads(cores, besideRuns ? busy : 0);
  const here = preparerHere(readImage, besideRuns);
  let pool: WorkerPool | undefined;
  let isClosed = false;
  return {
    besideRuns,
    begin(plan, images) {
      // Checks the plan, too.
      const alone = here.begin(plan, images);
      if (images < WORTH_THREADS || isClosed) return alone;
      return inThreads(() => (pool ??= new WorkerPool(workers, AT_ONCE)), plan, alone);
    },
    ahead(plan) {
      if (isSmall(plan)) return workers * (besideRuns ? AT_ONCE : BETWEEN_RUNS.small);
      const most = plan.kind === "detector" && plan.keepsPixels ? MOST_PIXELS_KEPT : MOST_LARGE;
      return Math.min(most, workers * BETWEEN_RUNS.large);
    },
    async close() {
      isClosed = true;
      await pool?.close();
    },
  };
}

function isSmall(plan: InputPlan): boolean {
  return plan.kind === "views" && plan.size !== undefined && plan.views.every(({ kind }) => kind === "center");
}

/** @param alone for what can't go to another thread */
function inThreads<P extends InputPlan>(pool: () => WorkerPool, plan: P, alone: PrepareImage<P>): PrepareImage<P> {
  let make: ReturnType<WorkerPool["inputs"]> | undefined;
  return async (source) => {
    const reference = referenceTo(source);
    if (reference === undefined) return alone(source);
    make ??= pool().inputs(plan);
    return { name: nameOf(source), ...(await make(reference)) } as Awaited<ReturnType<PrepareImage<P>>>;
  };
}

/** Where the image is, for another thread; undefined of what a function of the program makes. */
function referenceTo(source: NamedSource): SampleReference | undefined {
  if (typeof source === "string") return { kind: "file", file: source };
  if ("pixels" in source) return undefined;
  // With a view all the memory that it is of would be copied.
  const { name, bytes } = source;
  return { kind: "bytes", name, bytes: bytes.byteLength < bytes.buffer.byteLength ? new Uint8Array(bytes) : bytes };
}
