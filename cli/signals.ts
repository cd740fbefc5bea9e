/**
 * Signals, and output that nobody takes any more: a command ends at once and leaves nothing half-written, or, where it
 * has something to save, saves that first.
 *
 * A signal is listened to only while there is something to save or to clear away. Otherwise the system's own way of ending
 * a process is left alone, which works while JavaScript is busy, too.
 */
import { discardUnfinished, onUnfinished } from "../runtime/files.js";
import { EXIT } from "./failure.js";
import { hangUpIgnored, hasTerminal, letGoOfLostTerminals } from "./hangup.js";
import { log, logError } from "./terminal.js";

/** What a long command does on the first signal in place of ending at once. */
let atFirst: ((reason: string) => void) | undefined;
let isWriting = false;
let isListening = false;

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
type Signal = (typeof SIGNALS)[number];

/** The next signal calls `action` with what happened, the one after it ends the process. Gives what takes this back. */
export function onFirstSignal(action: (reason: string) => void): () => void {
  atFirst = action;
  listen();
  return () => {
    atFirst = undefined;
    listen();
  };
}

let isLeftAlone = false;

/** For good: the system's own way of ending this process is the only one. */
export function leaveSignalsAlone(): void {
  isLeftAlone = true;
  listen();
}

export function stopCleanly(): void {
  letGoOfLostTerminals();
  ignoresHangUp = hangUpIgnored();
  // A listener that does nothing: the default would end the process.
  if (ignoresHangUp) process.on("SIGHUP", () => undefined);
  onUnfinished((isAny) => {
    isWriting = isAny;
    listen();
  });
  process.stdout.on("error", (error: NodeJS.ErrnoException) => lost("output", error));
  process.stderr.on("error", (error: NodeJS.ErrnoException) => lost("error", error));
}

let ignoresHangUp: boolean | undefined;
const handlers = new Map<Signal, () => void>(SIGNALS.map((signal) => [signal, () => receive(signal)]));

/** Listens where there is a reason to, and only there. */
function listen(): void {
  const wanted = !isLeftAlone && (atFirst !== undefined || isWriting);
  if (wanted === isListening) return;
  isListening = wanted;
  for (const [signal, handler] of handlers) {
    if (wanted) process.on(signal, handler);
    else process.off(signal, handler);
  }
}

function receive(signal: Signal): void {
  if (signal === "SIGHUP" && ignoresHangUp) return;
  const action = atFirst;
  if (action !== undefined) {
    if (signal === "SIGHUP" && ignoresHangUp === undefined && !hasTerminal()) {
      log("a hang-up, without a terminal that could have been hung up: going on (SIGTERM or SIGINT ends)");
      return;
    }
    atFirst = undefined;
    return action(signal === "SIGHUP" ? "SIGHUP: the terminal was hung up" : signal);
  }
  discardUnfinished();
  // By the signal itself, so that a shell's loop stops too.
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}

const gone = new Set<"output" | "error">();

/** Nobody reads it any more (`head` has had enough), its terminal went, or its disk is full. */
function lost(stream: "output" | "error", { code = "" }: NodeJS.ErrnoException): void {
  if (gone.has(stream)) return;
  gone.add(stream);
  const isFull = code === "ENOSPC" || code === "EDQUOT" || code === "EFBIG";
  const action = atFirst;
  // A log on a full disk is no reason to stop. Somebody who watched and went is.
  if (action !== undefined && !(stream === "error" && isFull)) {
    atFirst = undefined;
    return action(`the standard ${stream} can't be written any more (${code})`);
  }
  // News can't be told; what was asked for is done all the same.
  if (stream === "error") return;
  discardUnfinished();
  if (code === "EPIPE") process.exit(EXIT.pipe);
  logError(`the standard output can't be written: ${isFull ? "the disk is full" : code}`);
  process.exit(EXIT.input);
}
