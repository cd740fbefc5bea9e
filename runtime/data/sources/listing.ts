/** The images under a folder. Listing a million files takes a while on some disks, so what was found is kept. */
import { createHash } from "node:crypto";
import { mkdir, readFile, realpath, stat } from "node:fs/promises";
import { homedir } from "node:os";
import path from "node:path";
import { writeWhole } from "../../files.js";
import { readImageFolder, type ImageFolder } from "../../images/folder.js";
import { DataError } from "../../data-error.js";

/** Paths are relative to the listed folder; `""` is itself. */
export interface Listing {
  /** Folders with their images, names sorted by code point. */
  readonly folders: readonly ListedFolder[];
  /** Other files by ending, and how many. */
  readonly others: readonly (readonly [ending: string, count: number])[];
  /** Links that lead nowhere. */
  readonly brokenLinks: readonly string[];
  /** Links to a folder that they lie in, which would be listed for ever: not followed. */
  readonly loops: readonly string[];
  /** Folders too far down to be looked into. */
  readonly tooDeep: readonly string[];
}

export interface ListedFolder {
  readonly path: string;
  /** Names of the images in it, not of those in folders below. */
  readonly files: readonly string[];
}

/** What is kept of a folder: true as long as it is the same folder and its time of change is the same. */
interface Kept extends ImageFolder {
  /** Device and number of the folder, which a link may change. */
  readonly id: string;
  readonly changed: number;
}

const MAX_DEPTH = 8;
/** Links that lead to each other would make endless many. */
const MAX_FOLDERS = 1_000_000;
const VERSION = 2;

/** Whether a listing is kept. */
export interface ListingOptions {
  /** Where listings are kept; false: nowhere. Default: the user's folder for caches. */
  readonly cache?: string | false;
}

/**
 * Lists the images; links are followed, also out of the folder, as torchvision does.
 *
 * @throws {DataError} where the folder is none or can't be read
 */
export async function listImages(folder: string, { cache = cacheFolder() }: ListingOptions = {}): Promise<Listing> {
  const root = await realpath(folder).catch(() => {
    throw new DataError(`${folder}: no such folder`);
  });
  const file =
    cache === false ? undefined : path.join(cache, `${createHash("sha256").update(root).digest("hex")}.json`);
  const visit: Visit = {
    root,
    before: file === undefined ? new Map() : await readKept(file),
    now: new Map(),
    loops: [],
    tooDeep: [],
  };
  await visitFolder(visit, "", 0, await idsAbove(root));
  const { now, before, loops, tooDeep } = visit;
  const isNew = now.size !== before.size || [...now].some(([at, kept]) => before.get(at) !== kept);
  if (file !== undefined && isNew) await keep(file, now);
  return {
    folders: [...now].map(([at, { files }]) => ({ path: at, files })),
    others: [...now.values()].flatMap(({ others }) => others),
    brokenLinks: [...now].flatMap(([at, { brokenLinks }]) => brokenLinks.map((name) => path.join(at, name))),
    loops,
    tooDeep,
  };
}

interface Visit {
  readonly root: string;
  readonly before: ReadonlyMap<string, Kept>;
  readonly now: Map<string, Kept>;
  readonly loops: string[];
  readonly tooDeep: string[];
}

/** @param above ids of the folders that it lies in, by whatever way it was reached */
async function visitFolder(visit: Visit, at: string, depth: number, above: readonly string[]): Promise<void> {
  const { root, before, now } = visit;
  const here = path.join(root, at);
  const { mtimeMs, ...found } = await asDataError(here, stat(here));
  const id = idOf(found);
  if (above.includes(id)) return void visit.loops.push(at);
  if (depth > MAX_DEPTH) return void visit.tooDeep.push(at);
  if (now.size === MAX_FOLDERS) {
    throw new DataError(`${root}: has more than ${MAX_FOLDERS} folders; do links lead from one to the other?`);
  }
  const old = before.get(at);
  // A folder that changed a moment ago may change again without its time of change telling.
  const isSettled = mtimeMs < Date.now() - 2000;
  const isSame = old?.changed === mtimeMs && old.id === id;
  const kept = isSame
    ? old
    : { id, changed: isSettled ? mtimeMs : 0, ...(await asDataError(here, readImageFolder(here))) };
  now.set(at, kept);
  for (const name of kept.folders) await visitFolder(visit, path.join(at, name), depth + 1, [...above, id]);
}

function idOf({ dev, ino }: { readonly dev: number; readonly ino: number }): string {
  return `${dev}:${ino}`;
}

/** Of the folders that the listed one lies in. */
async function idsAbove(root: string): Promise<string[]> {
  const above: string[] = [];
  for (let at = path.dirname(root); ; at = path.dirname(at)) {
    const found = await stat(at).catch(() => undefined);
    if (found) above.push(idOf(found));
    if (at === path.dirname(at)) return above;
  }
}

function cacheFolder(): string {
  const base = process.env["XDG_CACHE_HOME"] || path.join(homedir(), ".cache");
  return path.join(base, "resnetc", "listings");
}

/** A cache that is damaged or of another version is no cache. */
async function readKept(file: string): Promise<Map<string, Kept>> {
  try {
    const { version, entries } = JSON.parse(await readFile(file, "utf8")) as { version: unknown; entries: unknown };
    if (version !== VERSION || !Array.isArray(entries) || !entries.every(isEntry)) return new Map();
    return new Map(entries);
  } catch {
    return new Map();
  }
}

/** Names alone: a listing that somebody else wrote leads where the folder itself does. */
function isEntry(entry: unknown): entry is [string, Kept] {
  if (!Array.isArray(entry) || entry.length !== 2) return false;
  const [at, kept] = entry as [unknown, Partial<Record<keyof Kept, unknown>> | null];
  if (typeof at !== "string" || path.isAbsolute(at) || at.split(path.sep).includes("..")) return false;
  const areNames = (list: unknown) =>
    Array.isArray(list) && list.every((name) => typeof name === "string" && name === path.basename(name));
  const areCounts = (list: unknown) =>
    Array.isArray(list) &&
    list.every((each) => Array.isArray(each) && typeof each[0] === "string" && typeof each[1] === "number");
  return (
    typeof kept?.id === "string" &&
    typeof kept.changed === "number" &&
    [kept.files, kept.folders, kept.brokenLinks].every(areNames) &&
    areCounts(kept.others)
  );
}

/** Best effort: a machine without a writable home lists again. */
async function keep(file: string, now: ReadonlyMap<string, Kept>): Promise<void> {
  try {
    await mkdir(path.dirname(file), { recursive: true });
    await writeWhole(file, [Buffer.from(JSON.stringify({ version: VERSION, entries: [...now] }))]);
  } catch {
    return;
  }
}

async function asDataError<T>(place: string, action: Promise<T>): Promise<T> {
  try {
    return await action;
  } catch (error) {
    throw new DataError(`${place}: can't be listed (${(error as NodeJS.ErrnoException).code ?? String(error)})`);
  }
}
