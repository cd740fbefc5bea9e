/** The thread of a {@link Watchdog}: ends the process when a call into MPI does not come back. */
import { writeSync } from "node:fs";
import { workerData } from "node:worker_threads";
import type { WatchdogData } from "./watchdog.js";

const { since, limit, name } = workerData as WatchdogData;

setInterval(() => {
  const began = Number(Atomics.load(since, 0));
  if (began === 0 || Date.now() - began < limit) return;
  const seconds = Math.round(limit / 1000);
  writeSync(
    2,
    `error: ${name}: numbers have been on their way for ${seconds} s; a rank or the network hangs: ending\n`,
  );
  // Not `exit`, which would end this thread alone: the other one never comes back.
  process.kill(process.pid, "SIGKILL");
}, 250);
