/** `resnetc check FILES`: every problem of the sources, without compiling them. */
import { Command } from "commander";
import { diagnosticToJson, renderDiagnostic } from "../../compiler/diagnostics/render.js";
import { examples } from "../arguments.js";
import { EXIT, Stop } from "../failure.js";
import { readSource, sourceFiles } from "../sources.js";
import { tally } from "../target.js";
import { colours, palette, plural, print, printJson } from "../terminal.js";

export function checkCommand(): Command {
  return new Command("check")
    .description("report every problem in source files: names, arguments, shapes")
    .argument("<paths...>", "files, or folders: every .resnet file in them")
    .option("--json", "for programs: the problems with their places")
    .addHelpText(
      "after",
      examples(
        ["resnetc check net.resnet", "problems with the place underlined"],
        ["resnetc check . --json", "for editors and scripts"],
      ),
    )
    .action(async (paths: string[], options: { json?: boolean }) => {
      const files = await sourceFiles(paths);
      const { check } = await import("../../compiler/analyze.js");
      const { fileHost } = await import("../../runtime/host.js");
      const texts: { path: string; text: string }[] = [];
      for (const path of files) texts.push({ path, text: await readSource(path) });
      const findings = check(texts, fileHost());
      const { diagnostics, sources, errorCount: errors, warningCount: warnings } = findings;
      if (options.json) {
        printJson({
          schema: 1,
          files,
          errors,
          warnings,
          // Of very many the first are among the diagnostics.
          omitted: errors + warnings - diagnostics.length,
          diagnostics: diagnostics.map((diagnostic) => diagnosticToJson(diagnostic, sources)),
        });
      } else {
        for (const diagnostic of diagnostics) print(`${renderDiagnostic(diagnostic, sources, palette("out"))}\n`);
        const verdict = diagnostics.length === 0 ? colours.out.green("no problems") : tally(findings);
        print(`${plural(files.length, "file")}: ${verdict}`);
      }
      if (errors > 0) throw new Stop(EXIT.input);
    });
}
