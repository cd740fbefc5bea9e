/** `resnetc lsp --stdio`: the language server, for editors. */
import { Command } from "commander";
import { fileURLToPath } from "node:url";
import { examples } from "../arguments.js";
import { UsageFailure } from "../failure.js";
import { packageVersion, PACKAGE_ROOT } from "../package-files.js";

export function lspCommand(): Command {
  return new Command("lsp")
    .description("the language server, for editors: problems, shapes, completion, and more (docs/editors.md)")
    .option("--stdio", "talk over the standard input and output; the only way there is")
    .addHelpText(
      "after",
      examples(
        ["resnetc lsp --stdio", "what an editor starts; it says nothing by itself"],
        ["npx resnetc lsp --stdio", "the one of the project, as docs/editors.md sets editors up"],
      ),
    )
    .action(async ({ stdio }: { stdio?: boolean }) => {
      if (!stdio) throw new UsageFailure("say --stdio: an editor starts it so and talks to it (docs/editors.md)");
      const { nodePlatform, serveStdio } = await import("../../editors/server/node.js");
      const standard = fileURLToPath(new URL("stdlib", PACKAGE_ROOT));
      serveStdio(nodePlatform(packageVersion(), standard));
    });
}
