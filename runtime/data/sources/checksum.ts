/** Whether a downloaded archive is the official one. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import path from "node:path";
import { DataError } from "../error.js";
import { CIFAR } from "./cifar.js";

/** MD5 sums that the data sets' authors publish, by the archive's name. */
export const ARCHIVES: ReadonlyMap<string, string> = new Map(
  Object.values(CIFAR).map(({ archive }) => [archive.file, archive.md5]),
);

/**
 * Reads an archive and compares its MD5 sum.
 *
 * @param expected default: the official sum for a file of that name
 * @throws {DataError} where the sum differs, none is known, or the file can't be read
 */
export async function verifyArchive(file: string, expected = ARCHIVES.get(path.basename(file))): Promise<void> {
  if (expected === undefined) throw new DataError(`${file}: no checksum is known for a file of this name`);
  const hash = createHash("md5");
  try {
    for await (const chunk of createReadStream(file)) hash.update(chunk as Uint8Array);
  } catch (error) {
    throw new DataError(`${file}: can't be read (${(error as NodeJS.ErrnoException).code ?? String(error)})`);
  }
  const sum = hash.digest("hex");
  if (sum !== expected) throw new DataError(`${file}: damaged or another version: its md5 is ${sum}, not ${expected}`);
}
