/** `resnetc explain CODE`: what docs/errors.md says of an error code. */
import { readFile } from "node:fs/promises";
import { Command } from "commander";
import { CODES } from "../../compiler/diagnostics/codes.js";
import { examples } from "../arguments.js";
import { InputFailure } from "../failure.js";
import { renderMarkdown } from "../markdown.js";
import { docsFile } from "../package-files.js";
import { renderTable } from "../table.js";
import { printReport } from "../report.js";
import { colours, print } from "../terminal.js";

export function explainCommand(): Command {
  return new Command("explain")
    .description("say what an error code means, with an example and how to mend it")
    .argument("[code]", "the code of an error or warning, as `check` prints it; default: all codes in a line each")
    .option("--json", "for programs")
    .addHelpText(
      "after",
      examples(
        ["resnetc explain shape-mismatch", "what it is, and an example that triggers it"],
        ["resnetc explain", "every code"],
      ),
    )
    .action(async (code: string | undefined, { json }: { json?: boolean }) => {
      if (code === undefined) return list(json === true);
      const sections = sectionsOf(await readFile(docsFile("errors.md"), "utf8"));
      const section = sections.get(code);
      if (section === undefined) {
        const { didYouMean } = await import("../../compiler/diagnostics/suggest.js");
        const help = didYouMean(code, sections.keys()) ?? "`resnetc explain` lists them";
        throw new InputFailure(`no error has the code ${code}: ${help}`);
      }
      if (json) printReport({ code, ...CODES[code as keyof typeof CODES], markdown: section });
      else print(process.stdout.isTTY ? renderMarkdown(section, colours.out) : section);
    });
}

function list(json: boolean): void {
  const codes = Object.entries(CODES).map(([code, { severity, summary }]) => ({ code, severity, summary }));
  if (json) printReport({ codes });
  else {
    const rows = codes.map(({ code, severity, summary }) => [code, severity, summary]);
    print(renderTable(rows, ["left", "left", "left"]));
  }
}

/** The sections whose heading is a code: `## shape-mismatch`, at whatever depth. */
function sectionsOf(markdown: string): Map<string, string> {
  const headings = [...markdown.matchAll(/^#+ +`?([a-z]+(?:-[a-z]+)*)`? *$/gm)];
  const starts = [...markdown.matchAll(/^#+ /gm)].map((match) => match.index);
  return new Map(
    headings
      .filter((heading) => heading[1]! in CODES)
      .map((heading) => {
        const end = starts.find((start) => start > heading.index) ?? markdown.length;
        return [heading[1]!, markdown.slice(heading.index, end).trim()];
      }),
  );
}
