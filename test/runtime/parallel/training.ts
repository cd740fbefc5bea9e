/** One rank of training.test.ts: trains what its argument says, and tells what came of it as a line of JSON. */
import { writeSync } from "node:fs";
import { failedOn } from "../../../runtime/parallel/agree.js";
import { openRanks } from "../../../runtime/parallel/open.js";
import { train } from "../../../runtime/training/trainer.js";
import type { TrainEvent } from "../../../runtime/training/request.js";
import { requestOf, type Job } from "./jobs.js";

const job = JSON.parse(process.argv[2]!) as Job;
const ranks = await openRanks({ patience: job.patience ?? 60, onEnd: (message) => writeSync(2, `${message}\n`) });
const { rank, size } = ranks;
const tell = (value: object): void => void writeSync(1, `${JSON.stringify({ rank, size, ...value })}\n`);
const warnings: string[] = [];
const stop = new AbortController();

function onEvent(event: TrainEvent): void {
  if (event.kind === "warning") warnings.push(event.message);
}

/** What goes wrong on one rank, before an update. */
function between(): void {
  if (job.rank !== rank || ++made <= (job.at ?? 0)) return;
  switch (job.mishap) {
    case "killed":
      process.kill(process.pid, "SIGKILL");
      break;
    case "hangs":
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
      break;
    case "throws":
      throw new Error("a mistake of this rank");
    case "stops":
      stop.abort("it was enough");
      break;
    case undefined:
  }
}
let made = 0;

try {
  const request = await requestOf(job, rank);
  const result = await train(request, {
    ...{ ranks, onEvent, between, signal: stop.signal },
    device: "cpu",
    threads: 1,
    workers: 0,
    sameThread: job.sameThread ?? true,
    ...(job.gradients && { gradients: job.gradients }),
    ...(job.resume && { resume: true }),
    ...(job.best && { best: true }),
    ...(job.strict && { strict: true }),
  });
  await ranks.finalize();
  const { finished, step, validation, test, unreadable } = result;
  tell({ finished, step, validation, test, unreadable, warnings });
} catch (error) {
  tell({ failed: (error as Error).message, name: (error as Error).name, on: failedOn(error) });
  if (failedOn(error) === undefined) ranks.abort(1);
  await ranks.finalize();
}
