/** What `-o` names. */
import { isatty } from "node:tty";
import { STANDARD_OUTPUT, writeWhole, type Chunks } from "../runtime/files.js";
import { UsageFailure } from "./failure.js";

export { STANDARD_OUTPUT };

/** The help of `-o, --output <file>`. */
export const OUTPUT = "where to write it; - for the standard output";

interface OutputKind {
  /** No text: a terminal is not written to. */
  readonly binary?: boolean;
  /** Whether a report goes to the standard output. */
  readonly json?: boolean | undefined;
}

/**
 * The file that is written: `-` and `/dev/stdout` are the standard output.
 *
 * @throws {UsageFailure} where that is taken by a report, or is a terminal and the file is no text
 */
export function outputFile(name: string, { binary = false, json = false }: OutputKind = {}): string {
  if (name !== "-" && name !== STANDARD_OUTPUT) return name;
  if (json) throw new UsageFailure(`-o ${name} and --json both write to the standard output: choose one`);
  if (binary && isatty(1)) {
    throw new UsageFailure(`-o ${name}: not text, so it is not written to a terminal; redirect it, or name a file`);
  }
  return STANDARD_OUTPUT;
}

/** Writes a file that the user named. */
export function writeOutput(file: string, chunks: Chunks): Promise<void> {
  return writeWhole(file, chunks, { followLinks: true });
}

/** The folder that is written to. */
export function outputFolder(name: string): string {
  if (name === "-") throw new UsageFailure("-o -: several files are written, a folder is needed");
  return name;
}

/** As it is told. */
export function nameOfOutput(file: string): string {
  return file === STANDARD_OUTPUT ? "to the standard output" : file;
}
