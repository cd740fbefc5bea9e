/**
 * Files that have not got their name yet. Their names say which process writes them, so that the next one that writes
 * in the folder can tell what a killed process left from what another is writing just now.
 */
import crypto from "node:crypto";
import { rmSync } from "node:fs";
import fs from "node:fs/promises";
import path from "node:path";
import { isAlive, thisProcess } from "./processes.js";

/** Those of this process. */
const unfinished = new Set<string>();
let watcher: (isAny: boolean) => void = () => undefined;

/** Told whether there are any, whenever that may have changed: for a process that listens to signals on their account. */
export function onUnfinished(listener: (isAny: boolean) => void): void {
  watcher = listener;
}

/** Removes what is half-written, at once: for a process that is being ended. */
export function discardUnfinished(): void {
  for (const file of unfinished) rmSync(file, { force: true });
  unfinished.clear();
}

/** The file goes with {@link discardUnfinished} until it is released. */
export function registerUnfinished(file: string): void {
  unfinished.add(file);
  watcher(true);
}

export function releaseUnfinished(file: string): void {
  unfinished.delete(file);
  watcher(unfinished.size > 0);
}

/** Names of files may have 255 bytes; of a longer one than this only a part and a hash stand in the temporary name. */
const LONGEST = 150;

/** `.net.onnx.resnetc-PID-START-PLACE-RANDOM.tmp` beside the target. */
export function temporaryName(target: string): string {
  const { pid, start, place } = thisProcess();
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
  if (place === thisProcess().place) return isAlive({ pid: Number(pid), start: start! }) === false;
  const found = await fs.lstat(file).catch(() => undefined);
  return found !== undefined && Date.now() - found.mtimeMs > DAY;
}
