/** Files that are written whole or not at all. */
import { fsync, write } from "node:fs";
import fs from "node:fs/promises";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { promisify } from "node:util";
import { clearAbandoned, registerUnfinished, releaseUnfinished, temporaryName } from "./temporary-files.js";

export { discardUnfinished, onUnfinished } from "./temporary-files.js";

/** A file that can't be written; the message is one line that names it. */
export class FileError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "FileError";
  }
}

/** The bytes of a file in pieces. */
export type Chunks = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/** How a file is written. */
export interface WriteOptions {
  /**
   * For a name that a user gave: of a link the file that it points to is written, and the link stays. Otherwise a link
   * is refused: somebody may have put it into a folder that we write names of our own choice to. Default false.
   */
  readonly followLinks?: boolean;
}

/** The standard output as a target. */
export const STANDARD_OUTPUT = "/dev/stdout";

/**
 * Writes the chunks one after the other to a temporary file beside the target, which then takes the target's name. If
 * anything fails (a chunk that can't be computed, a full disk), the target is as it was and nothing is left behind;
 * what a killed process left in the folder is cleared. What is no regular file (a pipe, /dev/null), and the standard
 * output by the names that the system has for it, is written to directly.
 *
 * @throws {FileError} or what the chunks threw
 */
export async function writeWhole(target: string, chunks: Chunks, options: WriteOptions = {}): Promise<void> {
  const descriptor = descriptorOf(target);
  if (descriptor !== undefined) return writeTo(descriptor, target, chunks);
  const place = await placeOf(target, options);
  if (place.isDevice) return writeToDevice(target, chunks);
  const prepared = await prepareFile(target, chunks, options);
  await prepared.commit();
}

/**
 * Whether a file can take this name, as far as that can be told before it is written.
 *
 * @throws {FileError}
 */
export async function checkTarget(target: string, options: WriteOptions = {}): Promise<void> {
  await placeOf(target, options);
}

/** A file that is written as a whole and waits for its name. */
export interface PreparedFile {
  /** Where it is now. */
  readonly temporary: string;
  /** Where it will be: the target, its links followed where they are to be. */
  readonly path: string;
  /** Gives it its name, or another in the same folder. */
  commit(as?: string): Promise<void>;
  /** Removes it. Nothing happens after it got its name. */
  discard(): Promise<void>;
}

/** The first half of {@link writeWhole}, for files that belong together. Only for regular files. */
export async function prepareFile(target: string, chunks: Chunks, options: WriteOptions = {}): Promise<PreparedFile> {
  const { real, mode, isDevice } = await placeOf(target, options);
  if (isDevice || descriptorOf(target) !== undefined) throw new FileError(`${target}: is no regular file`);
  await clearAbandoned(path.dirname(real));
  const temporary = temporaryName(real);
  const discard = async (): Promise<void> => {
    if (done) return;
    done = true;
    // Where it can't be removed, what was wrong before is what is told.
    await fs.rm(temporary, { force: true }).catch(() => undefined);
    releaseUnfinished(temporary);
  };
  let done = false;
  // Before it is opened: a signal may come at once.
  registerUnfinished(temporary);
  try {
    const file = await asFileError(target, fs.open(temporary, "wx", mode));
    try {
      for await (const chunk of chunks) await asFileError(target, writeAll(file, chunk));
      await asFileError(target, synchronise(file.fd));
    } finally {
      await file.close();
    }
  } catch (cause) {
    await discard();
    throw cause;
  }
  return {
    temporary,
    path: real,
    discard,
    async commit(as = real) {
      try {
        await asFileError(target, fs.rename(temporary, as));
        done = true;
        releaseUnfinished(temporary);
      } catch (cause) {
        await discard();
        throw cause;
      }
    },
  };
}

/** By its number, since the files of Yarn's Plug'n'Play have no method for it. */
const synchronise = promisify(fsync);

interface Place {
  /** With the links followed that are to be followed. */
  readonly real: string;
  readonly mode: number | undefined;
  /** A pipe, a device: something that is written to and can't be replaced. */
  readonly isDevice: boolean;
}

async function placeOf(target: string, { followLinks = false }: WriteOptions): Promise<Place> {
  const itself = await fs.lstat(target).catch(() => undefined);
  if (!followLinks) {
    if (itself?.isSymbolicLink()) throw new FileError(`${target}: is a link, which is not followed here: remove it`);
    if (itself?.isFIFO()) throw new FileError(`${target}: is a pipe, which is not written to here: remove it`);
  }
  const real = itself?.isSymbolicLink() ? await asFileError(target, pointedTo(target)) : target;
  const found = real === target ? itself : await fs.stat(real).catch(() => undefined);
  if (found?.isDirectory()) throw new FileError(`${target}: is a folder`);
  const isDevice = found !== undefined && !found.isFile();
  // A file that must not be written to is not replaced either.
  if (found?.isFile()) await asFileError(target, fs.access(real, fs.constants.W_OK));
  return { real, mode: isDevice ? undefined : found?.mode, isDevice };
}

/** Where a link leads in the end, also where nothing is there yet. */
async function pointedTo(link: string): Promise<string> {
  const whole = await fs.realpath(link).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT") return undefined;
    throw cause;
  });
  if (whole !== undefined) return whole;
  const next = path.resolve(await fs.realpath(path.dirname(link)), await fs.readlink(link));
  const found = await fs.lstat(next).catch(() => undefined);
  return found?.isSymbolicLink() ? pointedTo(next) : next;
}

/** `/dev/stdout` and its like, which some systems can't open anew, and which must not be replaced where they are files. */
function descriptorOf(target: string): number | undefined {
  if (target === STANDARD_OUTPUT) return 1;
  if (target === "/dev/stderr") return 2;
  const match = /^\/(?:dev|proc\/self)\/fd\/(\d{1,6})$/.exec(target);
  return match ? Number(match[1]) : undefined;
}

async function writeTo(descriptor: number, target: string, chunks: Chunks): Promise<void> {
  const name = descriptor === 1 ? "standard output" : target;
  for await (const chunk of chunks) {
    for (let done = 0; done < chunk.length;) done += await asFileError(name, writeSome(descriptor, chunk, done));
  }
}

const writeOnce = promisify(write);
/** Milliseconds until a pipe that is full is tried again. */
const PAUSE = 2;

async function writeSome(descriptor: number, chunk: Uint8Array, from: number): Promise<number> {
  try {
    return (await writeOnce(descriptor, chunk, from, chunk.length - from, null)).bytesWritten;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EAGAIN") throw cause;
    await wait(PAUSE);
    return 0;
  }
}

async function writeToDevice(target: string, chunks: Chunks): Promise<void> {
  const file = await asFileError(target, fs.open(target, "w"));
  try {
    for await (const chunk of chunks) await asFileError(target, writeAll(file, chunk));
  } finally {
    await file.close();
  }
}

async function writeAll(file: fs.FileHandle, chunk: Uint8Array): Promise<void> {
  for (let done = 0; done < chunk.length;) {
    done += (await file.write(chunk, done, chunk.length - done)).bytesWritten;
  }
}

/** The system's error as a line that names the target. */
async function asFileError<T>(target: string, action: Promise<T>): Promise<T> {
  try {
    return await action;
  } catch (cause) {
    throw fileFailure(target, await withReason(target, cause));
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
    const code = ((await withReason(folder, cause)) as NodeJS.ErrnoException).code ?? String(cause);
    const reason = { EEXIST: "a file has this name", ENOTDIR: "a file has this name" }[code] ?? REASONS[code] ?? code;
    throw new FileError(`${folder}: the folder can't be made: ${reason}`);
  }
}

/** `ENOENT` is also what systems say of folders that are there and take no files: then what keeps them from it. */
async function withReason(target: string, cause: unknown): Promise<unknown> {
  if ((cause as NodeJS.ErrnoException).code !== "ENOENT") return cause;
  const parent = path.dirname(path.resolve(target));
  for (let folder = parent; ; folder = path.dirname(folder)) {
    const code = await fs.access(folder, fs.constants.W_OK).then(
      () => undefined,
      (error: NodeJS.ErrnoException) => error.code,
    );
    if (code === "ENOENT" && folder !== path.dirname(folder)) continue;
    if (code !== undefined && code in REASONS) return { code };
    return folder === parent ? { code: NO_FILES } : cause;
  }
}

/** No code of the system's. */
const NO_FILES = "NO_FILES";

/** The system's error on writing a file as a line that names it. */
export function fileFailure(target: string, cause: unknown): FileError {
  if (cause instanceof FileError) return cause;
  const code = (cause as NodeJS.ErrnoException).code ?? "";
  return new FileError(`${target}: can't be written: ${REASONS[code] ?? (code || String(cause))}`);
}

const REASONS: Readonly<Record<string, string>> = {
  [NO_FILES]: "this folder takes no new files",
  ENOENT: "the folder is not there",
  ENOTDIR: "the folder is not there",
  EACCES: "permission denied",
  EPERM: "permission denied",
  EROFS: "the file system is read-only",
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  EFBIG: "it would be larger than files may be here",
  EBUSY: "it is in use, or something is mounted there",
  EPIPE: "what should read it has gone away",
  EIO: "the disk reports an error",
  ELOOP: "links that lead to one another",
  ENAMETOOLONG: "the name is too long",
  EMFILE: "too many open files",
};
