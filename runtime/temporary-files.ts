/**
 * Files that have not got their name yet. Their names say which process writes them, so that the next one that writes
 * in the folder can tell what a killed process left from what another is writing just now.
 */
import crypto from "node:crypto";
import { readFileSync, readlinkSync, rmSync } from "node:fs";
import fs from "node:fs/promises";
import os from "node:os";
import path from "node:path";

/** Those of this process. */
const unfinished = new Set<string>();

/** Removes what is half-written, at once: for a process that is being ended. */
export function discardUnfinished(): void {
  for (const file of unfinished) rmSync(file, { force: true });
  unfinished.clear();
}

/** The file goes with {@link discardUnfinished} until it is released. */
export function registerUnfinished(file: string): void {
  unfinished.add(file);
}

export function releaseUnfinished(file: string): void {
  unfinished.delete(file);
}

/** Names of files may have 255 bytes; of a longer one than this only a part and a hash stand in the temporary name. */
const LONGEST = 150;

/** `.net.onnx.resnetc-PID-START-PLACE-RANDOM.tmp` beside the target. */
export function temporaryName(target: string): string {
  const { pid, start, place } = self();
  const random = crypto.randomBytes(4).toString("hex");
  return path.join(path.dirname(target), `.${stem(target)}.resnetc-${pid}-${start}-${place}-${random}.tmp`);
}

const PATTERN = /^\.(.+)\.resnetc-(\d+)-([0-9a-z]+)-([0-9a-f]{8})-[0-9a-f]{8}\.tmp$/;

function stem(target: string): string {
  const name = path.basename(target);
  if (Buffer.byteLength(name) <= LONGEST) return name;
  // A cut may fall into a character: only those of one byte are kept.
  const kept = name.replace(/[^\x20-\x7e]/g, "").slice(0, LONGEST - 40);
  return `${kept}~${crypto.createHash("sha256").update(name).digest("hex").slice(0, 16)}`;
}

/** Folders of many files, and when they were looked through last: that is not done for each file that is written. */
const looked = new Map<string, number>();
const MANY = 500;
/** Milliseconds. */
const PAUSE = 10_000;

/**
 * Removes the temporary files in a folder whose processes are gone. Those of another machine or container, whose
 * processes can't be asked for, go when a day has passed since anything was written to them. What can't be removed
 * stays.
 */
export async function clearAbandoned(folder: string): Promise<void> {
  const key = path.resolve(folder);
  if (performance.now() - (looked.get(key) ?? -Infinity) < PAUSE) return;
  const names = await fs.readdir(folder).catch(() => []);
  for (const name of names) {
    const file = path.join(folder, name);
    if (await isAbandoned(name, file)) await fs.rm(file, { force: true }).catch(() => undefined);
  }
  if (names.length > MANY) looked.set(key, performance.now());
}

/** Whether a living process, this one included, is writing the target just now. */
export async function isBeingWritten(target: string): Promise<boolean> {
  const [folder, wanted] = [path.dirname(target), stem(target)];
  for (const name of await fs.readdir(folder).catch(() => [])) {
    const file = path.join(folder, name);
    if (PATTERN.exec(name)?.[1] !== wanted) continue;
    if (!(await isAbandoned(name, file))) return true;
  }
  return false;
}

const DAY = 24 * 60 * 60 * 1000;

async function isAbandoned(name: string, file: string): Promise<boolean> {
  const match = PATTERN.exec(name);
  if (match === null) return false;
  const [, , pid, start, place] = match;
  if (place === self().place) return !isAlive(Number(pid), start!);
  const found = await fs.lstat(file).catch(() => undefined);
  return found !== undefined && Date.now() - found.mtimeMs > DAY;
}

interface Process {
  readonly pid: number;
  /** When it started, in the system's own count; `0` where the system does not tell. */
  readonly start: string;
  /** A hash of the machine and, in a container, of what its process numbers count. */
  readonly place: string;
}

let known: Process | undefined;

function self(): Process {
  known ??= { pid: process.pid, start: startOf(process.pid) ?? "0", place: placeOfProcesses() };
  return known;
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

/** Process numbers are given anew: one that started at another time is another process. */
function isAlive(pid: number, start: string): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
  }
  const found = startOf(pid);
  return found === undefined || start === "0" || found === start;
}

/** Field 22 of /proc/PID/stat: clock ticks from the start of the machine. The name before it may hold anything. */
function startOf(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    const ticks = text.slice(text.lastIndexOf(")") + 2).split(" ")[19];
    return ticks === undefined || !/^\d+$/.test(ticks) ? undefined : Number(ticks).toString(36);
  } catch {
    return undefined;
  }
}
