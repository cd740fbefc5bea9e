/** Ctrl-C and closed pipes: end at once, quietly, and leave nothing half-written. */
import { discardUnfinished } from "../runtime/files.js";

/** What a long command does on the first signal in place of ending at once. */
let atFirst: (() => void) | undefined;

/** The next signal calls `action`, the one after it ends the process. Gives what takes this back. */
export function onFirstSignal(action: () => void): () => void {
  atFirst = action;
  return () => (atFirst = undefined);
}

export function stopCleanly(): void {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      const action = atFirst;
      atFirst = undefined;
      if (action !== undefined) return action();
      discardUnfinished();
      // By the signal itself, so that a shell's loop stops too.
      process.removeAllListeners(signal);
      process.kill(process.pid, signal);
    });
  }
  for (const stream of [process.stdout, process.stderr]) {
    // Whoever read the output, `head` say, has had enough.
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
      discardUnfinished();
      process.exit();
    });
  }
}
