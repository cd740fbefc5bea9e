/** Options that every command has. */
import { Option, type Command } from "commander";
import { beQuiet } from "./terminal.js";

const GROUP = "Everywhere:";

/** `--quiet`, `--color`, `--no-color`; what the colours are, cli/terminal.ts has found out by then. */
export function addGlobalOptions(command: Command): Command {
  return command
    .addOption(new Option("-q, --quiet", "no news and no progress: errors, warnings and data alone").helpGroup(GROUP))
    .addOption(new Option("--color", "colours, also where the output is no terminal").helpGroup(GROUP))
    .addOption(new Option("--no-color", "no colours").helpGroup(GROUP))
    .on("option:quiet", beQuiet);
}
