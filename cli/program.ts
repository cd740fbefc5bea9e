/** All commands as one program, which completion, help and tests look at too. */
import { Command } from "commander";
import { COMMANDS } from "./commands/index.js";
import { addGlobalOptions } from "./global-options.js";
import { packageVersion } from "./package-files.js";
import { colours, forTerminal } from "./terminal.js";

export function program(): Command {
  const root = new Command("resnetc")
    .description("Residual networks and object detectors, from source to ONNX and running.")
    .version(packageVersion(), "-v, --version", "the version of the package")
    .helpCommand(false)
    .showSuggestionAfterError()
    .showHelpAfterError("(--help shows what there is)")
    .configureOutput({
      outputError: (text, write) => write(forTerminal(text.replace(/^error:/, colours.error.red("error:")))),
    })
    .exitOverride();
  addGlobalOptions(root);
  for (const define of COMMANDS) {
    root.addCommand(addGlobalOptions(define().copyInheritedSettings(root)));
  }
  return root;
}
