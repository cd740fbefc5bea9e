/** Files that are written whole or not at all. */
import crypto from "node:crypto";
import { rmSync } from "node:fs";
import fs from "node:fs/promises";
import path from "node:path";

/** A file that can't be written; the message is one line that names it. */
export class FileError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "FileError";
  }
}

/** Temporary files that have not got their name yet. */
const unfinished = new Set<string>();

/** Removes what is half-written, at once: for a process that is being ended. */
export function discardUnfinished(): void {
  for (const file of unfinished) rmSync(file, { force: true });
  unfinished.clear();
}

/**
 * Writes the chunks one after the other to a temporary file beside the target, which then takes the target's name. If
 * anything fails (a chunk that can't be computed, a full disk), the target is as it was and nothing is left behind. What
 * is no regular file (a pipe, /dev/stdout) is written to directly. Throws a {@link FileError}, or what the chunks threw.
 */
export async function writeWhole(
  target: string,
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<void> {
  const existing = await fs.stat(target).catch(() => undefined);
  if (existing?.isDirectory()) throw new FileError(`${target}: is a folder`);
  const direct = existing !== undefined && !existing.isFile();
  // A link keeps pointing where it points.
  const real = existing ? await fs.realpath(target) : target;
  const suffix = `${process.pid}-${crypto.randomBytes(4).toString("hex")}`;
  const written = direct ? target : path.join(path.dirname(real), `.${path.basename(real)}.${suffix}.tmp`);
  const file = await told(target, fs.open(written, direct ? "w" : "wx", existing?.mode));
  if (!direct) unfinished.add(written);
  try {
    try {
      for await (const chunk of chunks) await told(target, writeAll(file, chunk));
      if (!direct) await told(target, file.sync());
    } finally {
      await file.close();
    }
    if (!direct) await told(target, fs.rename(written, real));
  } catch (cause) {
    if (!direct) await fs.rm(written, { force: true });
    throw cause;
  } finally {
    unfinished.delete(written);
  }
}

async function writeAll(file: fs.FileHandle, chunk: Uint8Array): Promise<void> {
  for (let done = 0; done < chunk.length;) {
    done += (await file.write(chunk, done, chunk.length - done)).bytesWritten;
  }
}

/** The system's error as a line that names the target. */
async function told<T>(target: string, action: Promise<T>): Promise<T> {
  try {
    return await action;
  } catch (cause) {
    throw fileFailure(target, cause);
  }
}

/**
 * Makes a folder, and those above it, unless it is there.
 *
 * @throws {FileError}
 */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await fs.mkdir(folder, { recursive: true });
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
    const reason = { EEXIST: "a file has this name", ENOTDIR: "a file has this name" }[code] ?? REASONS[code] ?? code;
    throw new FileError(`${folder}: the folder can't be made: ${reason}`);
  }
}

/** The system's error on writing a file as a line that names it. */
export function fileFailure(target: string, cause: unknown): FileError {
  const code = (cause as NodeJS.ErrnoException).code ?? "";
  return new FileError(`${target}: can't be written: ${REASONS[code] ?? (code || String(cause))}`);
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "the folder is not there",
  ENOTDIR: "the folder is not there",
  EACCES: "permission denied",
  EPERM: "permission denied",
  EROFS: "the file system is read-only",
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
};
