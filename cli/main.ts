/** The command line: `resnetc COMMAND`. Each command is a file in commands/, which loads what it needs when it runs. */
import { CommanderError } from "commander";
import { EXIT, explain } from "./failure.js";
import { program } from "./program.js";
import { printFailure, wantsJson } from "./report.js";
import { stopCleanly } from "./signals.js";
import { logError } from "./terminal.js";

export async function main(argv: readonly string[]): Promise<void> {
  stopCleanly();
  try {
    await program().parseAsync(argv);
  } catch (error) {
    if (error instanceof CommanderError) {
      // Commander has printed its line, or the help that was asked for.
      if (error.exitCode === 0) return;
      process.exitCode = EXIT.usage;
      if (wantsJson(argv)) printFailure(error.message.replace(/^error: /, "").replaceAll("\n", " "), EXIT.usage);
      return;
    }
    const { message, exitCode } = explain(error);
    if (message !== undefined) logError(message);
    process.exitCode = exitCode;
    // A stack is for people.
    if (wantsJson(argv)) printFailure(message?.split("\n", 1)[0], exitCode);
  }
}
