/** Weight files of the file system. */
import fs from "node:fs";
import { InputFile } from "./input-file.js";
import { WeightsError } from "./source.js";

/** Throws {@link WeightsError} where there is no such file. */
export function openInputFile(path: string): InputFile {
  const error = (message: string): WeightsError => new WeightsError(`${path}: ${message}`);
  let descriptor: number;
  try {
    descriptor = fs.openSync(path, "r");
  } catch (cause) {
    throw error(openingFailure(cause));
  }
  const stat = fs.fstatSync(descriptor);
  if (!stat.isFile()) {
    fs.closeSync(descriptor);
    throw error(stat.isDirectory() ? "is a folder, not a weight file" : "is not a regular file");
  }
  return new InputFile(path, {
    size: stat.size,
    read: (target, position) => fs.readSync(descriptor, target, 0, target.length, position),
    close: () => fs.closeSync(descriptor),
  });
}

function openingFailure(cause: unknown): string {
  const code = (cause as NodeJS.ErrnoException).code;
  if (code === "ENOENT" || code === "ENOTDIR") return "no such file";
  if (code === "EACCES" || code === "EPERM") return "may not be read (permission denied)";
  return `can't be opened (${code ?? "unknown cause"})`;
}
