/** `resnetc help COMMAND` */
import { Command } from "commander";
import { nearest } from "../../grammar/nearest.js";
import { examples } from "../arguments.js";
import { UsageFailure } from "../failure.js";

export function helpCommand(): Command {
  return new Command("help")
    .description("show the help of a command")
    .argument("[command]", "which; default: all of them in short")
    .addHelpText("after", examples(["resnetc help compile", "as resnetc compile --help"]))
    .action((name: string | undefined, _options: object, command: Command) => {
      const root = command.parent!;
      if (name === undefined) return root.outputHelp();
      const found = root.commands.find((each) => each.name() === name);
      if (found !== undefined) return found.outputHelp();
      const near = nearest(
        name,
        root.commands.map((each) => each.name()),
      );
      throw new UsageFailure(
        `help: there is no command ${name}${near === undefined ? "; resnetc help lists them" : `; did you mean ${near}?`}`,
      );
    });
}
