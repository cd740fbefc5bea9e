/** The command line: `resnetc COMMAND`. Each command is a file in commands/, which loads what it needs when it runs. */
import { Command, CommanderError } from "commander";
import { COMMANDS } from "./commands/index.js";
import { EXIT, explain } from "./failure.js";
import { packageVersion } from "./package-files.js";
import { stopCleanly } from "./signals.js";
import { colours, forTerminal, sayError } from "./terminal.js";

export async function main(argv: readonly string[]): Promise<void> {
  stopCleanly();
  try {
    await program().parseAsync(argv);
  } catch (error) {
    if (error instanceof CommanderError) {
      // Commander has printed its line, or the help that was asked for.
      process.exitCode = error.exitCode === 0 ? EXIT.done : EXIT.usage;
      return;
    }
    const { message, exitCode } = explain(error);
    if (message !== undefined) sayError(message);
    process.exitCode = exitCode;
  }
}

function program(): Command {
  const root = new Command("resnetc")
    .description("Residual networks and object detectors, from source to ONNX and running.")
    .version(packageVersion(), "-V, --version")
    .showSuggestionAfterError()
    .showHelpAfterError("(--help shows what there is)")
    .configureOutput({
      outputError: (text, write) => write(forTerminal(text.replace(/^error:/, colours.error.red("error:")))),
    })
    .exitOverride();
  for (const define of COMMANDS) {
    root.addCommand(define().copyInheritedSettings(root));
  }
  return root;
}
