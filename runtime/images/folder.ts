/** What lies in a folder of images: one listing for all commands. */
import { open, readdir, stat } from "node:fs/promises";
import path from "node:path";
import { HEAD_BYTES, kindOf } from "./kinds.js";
import { endingOf, isImageName, isPassedOver } from "./names.js";

/** Names, sorted by code point. Links are followed, wherever they lead. */
export interface ImageFolder {
  /** Files with the ending of an image, and those without any ending that begin as one. */
  readonly files: readonly string[];
  readonly folders: readonly string[];
  /** How many other files there are, by ending; the empty one is of files without. */
  readonly others: readonly (readonly [ending: string, count: number])[];
  readonly brokenLinks: readonly string[];
}

/** Throws the system's error where the folder can't be read. */
export async function readImageFolder(folder: string): Promise<ImageFolder> {
  const files: string[] = [];
  const folders: string[] = [];
  const brokenLinks: string[] = [];
  const others = new Map<string, number>();
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const { name } = entry;
    if (isPassedOver(name)) continue;
    // Some file systems don't tell what an entry is; a link is what it leads to.
    const isTold = entry.isFile() || entry.isDirectory();
    const target = isTold ? entry : await stat(path.join(folder, name)).catch(() => undefined);
    if (target === undefined) brokenLinks.push(name);
    else if (target.isDirectory()) folders.push(name);
    else if (target.isFile() && (await isImage(folder, name))) files.push(name);
    else others.set(endingOf(name), (others.get(endingOf(name)) ?? 0) + 1);
  }
  return {
    files: files.sort(byCodePoint),
    folders: folders.sort(byCodePoint),
    others: [...others].sort(([a], [b]) => byCodePoint(a, b)),
    brokenLinks: brokenLinks.sort(byCodePoint),
  };
}

/** As Python sorts: by code point, which is not JavaScript's order of what takes two code units. */
export function byCodePoint(a: string, b: string): number {
  return isPlain(a) && isPlain(b) ? (a < b ? -1 : a > b ? 1 : 0) : Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function isPlain(text: string): boolean {
  return !/[\ud800-\uffff]/.test(text);
}

async function isImage(folder: string, name: string): Promise<boolean> {
  if (isImageName(name)) return true;
  return endingOf(name) === "" && (await beginsAsImage(path.join(folder, name)));
}

async function beginsAsImage(file: string): Promise<boolean> {
  const handle = await open(file).catch(() => undefined);
  if (!handle) return false;
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return kindOf(buffer.subarray(0, bytesRead))?.decoder !== undefined;
  } catch {
    return false;
  } finally {
    await handle.close();
  }
}
