/** The pictures under a folder. Listing a million files takes a while on some disks, so what was found is kept. */
import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, realpath, stat } from "node:fs/promises";
import { homedir } from "node:os";
import path from "node:path";
import { writeWhole } from "../../files.js";
import { DataError } from "../error.js";

export interface Listing {
  /** Folders with their pictures, names sorted by code unit, paths relative to the listed folder; `""` is itself. */
  readonly folders: readonly ListedFolder[];
  /** Links that lead out of the folder or nowhere: not followed. */
  readonly strayLinks: readonly string[];
}

export interface ListedFolder {
  readonly path: string;
  /** Names of the pictures in it, not of those in folders below. */
  readonly files: readonly string[];
}

/** What is kept of a folder: true as long as its time of change is the same. */
interface Kept {
  readonly changed: number;
  readonly files: readonly string[];
  readonly folders: readonly string[];
  readonly strayLinks: readonly string[];
}

/** Files with these endings are images. */
export const IMAGE_ENDINGS = [".jpg", ".jpeg", ".png", ".webp", ".gif", ".tif", ".tiff"] as const;

/** Whether a file is an image, by its name's ending. */
export function isImageName(name: string): boolean {
  return (IMAGE_ENDINGS as readonly string[]).includes(path.extname(name).toLowerCase());
}

const MAX_DEPTH = 8;
const VERSION = 1;

export interface ListingOptions {
  /** Where listings are kept; false: nowhere. Default: the user's folder for caches. */
  readonly cache?: string | false;
}

/**
 * Lists the pictures, by their names' endings.
 *
 * @throws {DataError} where the folder is none or can't be read
 */
export async function listPictures(folder: string, { cache = cacheFolder() }: ListingOptions = {}): Promise<Listing> {
  const root = await realpath(folder).catch(() => {
    throw new DataError(`${folder}: no such folder`);
  });
  const file =
    cache === false ? undefined : path.join(cache, `${createHash("sha256").update(root).digest("hex")}.json`);
  const before = file === undefined ? new Map<string, Kept>() : await readKept(file);
  const now = new Map<string, Kept>();
  await visit(root, "", 0, before, now);
  const isNew = now.size !== before.size || [...now].some(([at, kept]) => before.get(at) !== kept);
  if (file !== undefined && isNew) await keep(file, now);
  return {
    folders: [...now].map(([at, { files }]) => ({ path: at, files })),
    strayLinks: [...now.values()].flatMap((kept) => kept.strayLinks),
  };
}

async function visit(
  root: string,
  at: string,
  depth: number,
  before: ReadonlyMap<string, Kept>,
  now: Map<string, Kept>,
): Promise<void> {
  const changed = (await told(path.join(root, at), stat(path.join(root, at)))).mtimeMs;
  const old = before.get(at);
  // A folder that changed a moment ago may change again without its time of change telling.
  const isSettled = changed < Date.now() - 2000;
  const kept = old?.changed === changed ? old : { changed: isSettled ? changed : 0, ...(await read(root, at)) };
  now.set(at, kept);
  if (depth === MAX_DEPTH) return;
  for (const name of kept.folders) await visit(root, path.join(at, name), depth + 1, before, now);
}

async function read(root: string, at: string): Promise<Omit<Kept, "changed">> {
  const files: string[] = [];
  const folders: string[] = [];
  const strayLinks: string[] = [];
  const here = path.join(root, at);
  for (const entry of await told(here, readdir(here, { withFileTypes: true }))) {
    if (entry.name.startsWith(".")) continue;
    if (entry.isSymbolicLink()) {
      const target = await linkTarget(root, path.join(here, entry.name));
      if (target === "file" && isImageName(entry.name)) files.push(entry.name);
      // A link to a folder inside would list its pictures twice, or for ever.
      if (target === "outside") strayLinks.push(path.join(at, entry.name));
    } else if (entry.isDirectory()) folders.push(entry.name);
    else if (entry.isFile() && isImageName(entry.name)) files.push(entry.name);
  }
  return { files: files.sort(), folders: folders.sort(), strayLinks: strayLinks.sort() };
}

async function linkTarget(root: string, link: string): Promise<"file" | "folder" | "outside"> {
  try {
    const target = await realpath(link);
    if (target !== root && !target.startsWith(root + path.sep)) return "outside";
    return (await stat(target)).isFile() ? "file" : "folder";
  } catch {
    return "outside";
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

/** Names alone: a listing that somebody else wrote can't lead out of the folder. */
function isEntry(entry: unknown): entry is [string, Kept] {
  if (!Array.isArray(entry) || entry.length !== 2) return false;
  const [at, kept] = entry as [unknown, Partial<Record<keyof Kept, unknown>> | null];
  if (typeof at !== "string" || path.isAbsolute(at) || at.split(path.sep).includes("..")) return false;
  const areNames = (list: unknown) =>
    Array.isArray(list) && list.every((name) => typeof name === "string" && name === path.basename(name));
  return (
    typeof kept?.changed === "number" &&
    areNames(kept.files) &&
    areNames(kept.folders) &&
    Array.isArray(kept.strayLinks)
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

async function told<T>(place: string, action: Promise<T>): Promise<T> {
  try {
    return await action;
  } catch (error) {
    throw new DataError(`${place}: can't be listed (${(error as NodeJS.ErrnoException).code ?? String(error)})`);
  }
}
