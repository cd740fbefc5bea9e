/** `resnetc completion SHELL`: a script that completes commands, options, their choices and standard names. */
import { Argument, Command } from "commander";
import { examples } from "../arguments.js";
import { SHELLS, type Shell } from "../completion/index.js";
import { print } from "../terminal.js";

export function completionCommand(): Command {
  return new Command("completion")
    .description("print a script that completes what is typed")
    .addArgument(new Argument("<shell>", "which").choices(Object.keys(SHELLS)))
    .addHelpText(
      "after",
      examples(
        ["resnetc completion bash > ~/.local/share/bash-completion/completions/resnetc", "for every new shell"],
        ["resnetc completion zsh > ~/.zfunc/_resnetc", "a folder of fpath"],
        ["resnetc completion fish > ~/.config/fish/completions/resnetc.fish", "for every new shell"],
      ),
    )
    .action(async (shell: Shell, _options: object, command: Command) => {
      const { standardTargets } = await import("../../compiler/analyze.js");
      const { wordsOf } = await import("../completion/words.js");
      print(SHELLS[shell](wordsOf(command.parent!, standardTargets())));
    });
}
