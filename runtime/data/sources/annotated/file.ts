/** Files and folders of annotations, read within limits. */
import { readdir, readFile, stat } from "node:fs/promises";
import { isPassedOver } from "../../../images/names.js";
import { DataError } from "../../../data-error.js";

/** @throws {DataError} one line: missing, no file, more bytes than the limit */
export async function readBounded(file: string, limit: number): Promise<Buffer> {
  try {
    const { size } = await stat(file);
    if (size > limit) throw new DataError(`${file}: ${size} bytes is more than the ${limit} that are read`);
    return await readFile(file);
  } catch (error) {
    if (error instanceof DataError) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new DataError(`${file}: ${FILE_PROBLEMS[code] ?? `can't be read (${code})`}`, { cause: error });
  }
}

const FILE_PROBLEMS: Readonly<Record<string, string>> = {
  ENOENT: "no such file",
  EISDIR: "a folder, not a file",
  EACCES: "may not be read",
};

/**
 * Names in a folder, without what systems leave behind: macOS keeps a file's attributes in `._NAME` beside it.
 *
 * @throws {DataError}
 */
export async function listFolder(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((name) => !isPassedOver(name));
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    const reason = { ENOENT: "no such folder", ENOTDIR: "not a folder", EACCES: "may not be read" }[code];
    throw new DataError(`${folder}: ${reason ?? `can't be listed (${code})`}`, { cause: error });
  }
}
