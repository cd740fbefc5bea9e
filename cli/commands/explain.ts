/** `resnetc explain conv`, `resnetc explain shape-mismatch`: what a word of the language does, what an error means. */
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
import { wordPage, wordReport } from "../word-help.js";

export function explainCommand(): Command {
  return new Command("explain")
    .description("say what a word of the language does and takes, or what an error code means and how to mend it")
    .argument(
      "[word-or-code]",
      "a word (conv, sgd, random_crop), or the code of an error or warning, as `check` prints it; default: all codes in a line each",
    )
    .option("--json", "for programs")
    .addHelpText(
      "after",
      examples(
        ["resnetc explain conv", "what it does, its arguments with their defaults and bounds"],
        ["resnetc explain shape-mismatch", "what it is, and an example that triggers it"],
        ["resnetc explain", "every code"],
      ),
    )
    .action(async (asked: string | undefined, { json = false }: { json?: boolean }) => {
      if (asked === undefined) return list(json);
      const sections = sectionsOf(await readFile(docsFile("errors.md"), "utf8"));
      const section = sections.get(asked);
      if (section !== undefined) {
        if (json) printReport({ code: asked, ...CODES[asked as keyof typeof CODES], markdown: section });
        else show(section);
        return;
      }
      const { allWords } = await import("../../compiler/vocabulary.js");
      const found = allWords().filter(({ word }) => word.name === asked);
      if (found.length === 0) {
        const { didYouMean } = await import("../../compiler/diagnostics/suggest.js");
        const help =
          didYouMean(asked, [...sections.keys(), ...allWords().map(({ word }) => word.name)]) ??
          "`resnetc explain` lists the codes, docs/language.md has the words";
        throw new InputFailure(`there is no word and no error code ${asked}: ${help}`);
      }
      if (json) printReport({ words: found.map(wordReport) });
      else show(found.map(wordPage).join("\n\n"));
    });
}

function show(markdown: string): void {
  print(process.stdout.isTTY ? renderMarkdown(markdown, colours.out) : markdown);
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
