/** `resnetc explain CODE`: what docs/errors.md says of an error code. */
import { readFile } from "node:fs/promises";
import { Command } from "commander";
import { examples } from "../arguments.js";
import { InputFailure } from "../failure.js";
import { docsFile } from "../package-files.js";
import { print } from "../terminal.js";

export function explainCommand(): Command {
  return new Command("explain")
    .description("say what an error code means, with an example and how to mend it")
    .argument("<code>", "the code of an error or warning, as `check` prints it")
    .addHelpText("after", examples(["resnetc explain shape-mismatch", "what it is, and an example that triggers it"]))
    .action(async (code: string) => {
      const sections = sectionsOf(await readFile(docsFile("errors.md"), "utf8"));
      const section = sections.get(code);
      if (section === undefined) {
        const { didYouMean } = await import("../../compiler/diagnostics/suggest.js");
        const help = didYouMean(code, sections.keys()) ?? "`resnetc check` prints the code after `error` or `warning`";
        throw new InputFailure(`no error has the code ${code}: ${help}`);
      }
      print(section);
    });
}

/** The sections whose heading is a code: `## shape-mismatch`, at whatever depth. */
function sectionsOf(markdown: string): Map<string, string> {
  const headings = [...markdown.matchAll(/^#+ +`?([a-z]+(?:-[a-z]+)*)`? *$/gm)];
  const starts = [...markdown.matchAll(/^#+ /gm)].map((match) => match.index);
  return new Map(
    headings.map((heading) => {
      const end = starts.find((start) => start > heading.index) ?? markdown.length;
      return [heading[1]!, markdown.slice(heading.index, end).trim()];
    }),
  );
}
