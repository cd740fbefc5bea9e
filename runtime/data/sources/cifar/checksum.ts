/** Whether a downloaded archive is the official one. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import path from "node:path";
import { DataError } from "../../../data-error.js";
import { CIFAR } from "./index.js";

/** MD5 sums that the data sets' authors publish, by the archive's name. ImageNet's are of the ILSVRC 2012. */
export const ARCHIVES: ReadonlyMap<string, string> = new Map([
  ...Object.values(CIFAR)
    .flatMap(({ binary, python }) => [binary.archive, python.archive])
    .map(({ file, md5 }): [string, string] => [file, md5]),
  ["ILSVRC2012_img_train.tar", "1d675b47d978889d74fa0da5fadfb00e"],
  ["ILSVRC2012_img_val.tar", "29b22e2961454d5413ddabcf34fc5622"],
]);

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
