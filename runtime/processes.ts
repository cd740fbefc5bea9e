/** Which process something belongs to, and whether it is still there: process numbers are given anew. */
import crypto from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import os from "node:os";

export interface ProcessName {
  readonly pid: number;
  /** When it started, in the system's own count; `0` where the system does not tell. */
  readonly start: string;
  /** A hash of the machine and, in a container, of what its process numbers count. */
  readonly place: string;
}

let known: ProcessName | undefined;

export function thisProcess(): ProcessName {
  known ??= { pid: process.pid, start: startOf(process.pid) ?? "0", place: placeOfProcesses() };
  return known;
}

/** Whether a process of this place is there. `unsure`: one with its number is, and the system tells no starts. */
export function isAlive({ pid, start }: Pick<ProcessName, "pid" | "start">): boolean | "unsure" {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
  }
  const found = startOf(pid);
  if (found === ENDED) return false;
  return found === undefined || start === "0" ? "unsure" : found === start;
}

function placeOfProcesses(): string {
  let namespace = "";
  try {
    namespace = readlinkSync("/proc/self/ns/pid");
  } catch {
    // Only Linux has these.
  }
  return crypto.createHash("sha256").update(`${os.hostname()} ${namespace}`).digest("hex").slice(0, 8);
}

/** Of a process that has ended, and that its parent has not taken note of yet. */
const ENDED = "ended";

/** Field 22 of /proc/PID/stat: clock ticks from the start of the machine. The name before it may hold anything. */
function startOf(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    if (fields[0] === "Z" || fields[0] === "X") return ENDED;
    const ticks = fields[19];
    return ticks === undefined || !/^\d+$/.test(ticks) ? undefined : Number(ticks).toString(36);
  } catch {
    return undefined;
  }
}
