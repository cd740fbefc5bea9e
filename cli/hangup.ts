/**
 * Whether a hang-up is to be passed over, as `nohup` asks.
 *
 * `nohup` starts a program with SIGHUP ignored, but Node sets every signal back to its default before any script runs:
 * what it began with can't be asked. These signs are left.
 */
import { closeSync, openSync, readFileSync } from "node:fs";
import path from "node:path";
import tty from "node:tty";

/** True: ignored when the process began. False: surely not. Undefined: nothing says so or otherwise. */
export function hangUpIgnored(): boolean | undefined {
  // GNU nohup puts a file that can't be read in the place of a terminal as the standard input.
  if (isUnreadable(0)) return true;
  // Whoever started us ignores it, and so did we: a script under nohup, or after `trap '' HUP`.
  if (ignoresHangUp(process.ppid)) return true;
  // Shells say which command they started; others hand on what they were told themselves.
  const started = process.env["_"];
  if (started !== undefined && TELLING.has(nameOf(process.ppid) ?? "")) return path.basename(started) === "nohup";
  return undefined;
}

const TELLING = new Set(["bash", "zsh", "ksh", "ksh93", "mksh"]);

const STREAMS = [0, 1, 2] as const;

/** Whether somebody at a terminal could have hung up. */
export function hasTerminal(): boolean {
  return STREAMS.some((fd) => tty.isatty(fd));
}

/**
 * Node sets terminals back to how it found them when it ends, and aborts where one is not there any more. Those that went
 * are exchanged for nothing before.
 */
export function letGoOfLostTerminals(): void {
  const terminals = STREAMS.filter((fd) => tty.isatty(fd));
  process.on("exit", () => {
    for (const fd of terminals) {
      if (tty.isatty(fd)) continue;
      try {
        closeSync(fd);
        // The lowest free number is taken, which is the one that was closed.
        openSync("/dev/null", "r+");
      } catch {
        // Closed already: then there is nothing to set back.
      }
    }
  });
}

function isUnreadable(fd: number): boolean {
  const flags = /^flags:\s*(\d+)$/m.exec(read(`/proc/self/fdinfo/${fd}`) ?? "")?.[1];
  // The last octal digit: 0 for reading, 1 for writing, 2 for both.
  return flags?.endsWith("1") ?? false;
}

function ignoresHangUp(pid: number): boolean {
  const mask = /^SigIgn:\s*([0-9a-f]+)$/m.exec(read(`/proc/${pid}/status`) ?? "")?.[1];
  return mask !== undefined && (Number.parseInt(mask.slice(-1), 16) & 1) === 1;
}

function nameOf(pid: number): string | undefined {
  return read(`/proc/${pid}/comm`)?.trim();
}

/** Undefined where the system has no such file. */
function read(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
