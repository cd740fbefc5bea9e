import { closeSync, constants, fstatSync, openSync, readSync, statSync } from "node:fs";
import { UnreadableFile, type Host } from "../compiler/host.js";

/** Bytes of a source: four times the characters that the compiler takes, as UTF-8 may have them. */
const MOST_BYTES = 8_000_000;

/** The machine's files, relative paths from the working directory. */
export function fileHost(): Host {
  return {
    read: (path) => {
      const bytes = readRegularFile(path);
      return bytes && new TextDecoder().decode(bytes);
    },
    exists: (path) => statSync(path, { throwIfNoEntry: false })?.isFile() === true,
  };
}

/**
 * A source's bytes, undefined where there is no such file. Only what is a regular file is read: a device has no end, and a
 * pipe may have nobody at its other end.
 *
 * @throws UnreadableFile
 */
export function readRegularFile(path: string): Uint8Array | undefined {
  let file: number;
  try {
    // Without O_NONBLOCK opening a pipe waits for a writer; Windows has neither.
    file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EACCES" || code === "EPERM") throw new UnreadableFile("can't be read: permission denied");
    if (code === "EMFILE" || code === "ENFILE") throw new UnreadableFile("can't be read: too many open files");
    return undefined;
  }
  try {
    const stat = fstatSync(file);
    if (stat.isDirectory()) throw new UnreadableFile("is a folder");
    if (!stat.isFile()) throw new UnreadableFile("is no regular file");
    if (stat.size > MOST_BYTES)
      throw new UnreadableFile(`has ${stat.size} bytes, more than the ${MOST_BYTES} of any source`);
    return readAll(file, stat.size);
  } finally {
    closeSync(file);
  }
}

/** As many bytes as it had when it was opened, should it grow. */
function readAll(file: number, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let done = 0;
  for (let read = -1; read !== 0 && done < size; done += read) read = readSync(file, bytes, done, size - done, done);
  return bytes.subarray(0, done);
}
