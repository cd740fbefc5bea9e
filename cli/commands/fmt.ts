/** `resnetc fmt`: source files in the one style. */
import { Command } from "commander";
import { examples } from "../arguments.js";
import { EXIT, Stop, UsageFailure } from "../failure.js";
import { formatSource } from "../formatting.js";
import { writeOutput } from "../output.js";
import { readSource, readStandardInput, sourceFiles } from "../sources.js";
import { keptProblems, printReport } from "../report.js";
import { plural, print, printFile, log } from "../terminal.js";

interface Options {
  readonly check?: boolean;
  readonly stdinFilepath?: string;
  readonly json?: boolean;
}

export function fmtCommand(): Command {
  return new Command("fmt")
    .description("format source files in place")
    .argument(
      "[paths...]",
      "files, folders (every .resnet file in them), or - for standard input to standard output; default: this folder",
    )
    .option("--check", "write nothing; list the files that are not formatted and exit 1 if there are any")
    .option("--stdin-filepath <path>", "format standard input to standard output; errors name this file")
    .option("--json", "for programs: which files were changed")
    .addHelpText(
      "after",
      examples(
        ["resnetc fmt", "format every file in this folder"],
        ["resnetc fmt --check", "for continuous integration"],
        ["resnetc fmt - < net.resnet", "print it formatted"],
      ),
    )
    .action(async (paths: string[], options: Options) => {
      const { stdinFilepath } = options;
      if (stdinFilepath === undefined && !paths.includes("-")) {
        return formatFiles(await sourceFiles(paths.length === 0 ? ["."] : paths), options);
      }
      if (paths.some((path) => path !== "-")) throw new UsageFailure("standard input goes without other paths");
      if (options.json) throw new UsageFailure("--json is for files: standard input is formatted to standard output");
      await formatStandardInput(stdinFilepath ?? "standard input", options.check === true);
    });
}

async function formatFiles(files: readonly string[], { check = false, json }: Options): Promise<void> {
  const changed: string[] = [];
  const broken: string[] = [];
  for (const file of files) {
    const text = await readSource(file);
    const formatted = await formatSource(text, file);
    if (formatted === undefined) broken.push(file);
    else if (formatted !== text) {
      changed.push(file);
      if (!check) await writeOutput(file, [new TextEncoder().encode(formatted)]);
    }
  }
  const unchanged = files.length - changed.length - broken.length;
  if (json) printReport({ files, changed, broken, unchanged, written: !check, diagnostics: keptProblems() });
  else {
    for (const file of changed) print(file);
    log(`${plural(changed.length, "file")} ${check ? "not formatted" : "formatted"}, ${unchanged} unchanged`);
  }
  if (broken.length > 0 || (check && changed.length > 0)) throw new Stop(EXIT.input);
}

async function formatStandardInput(name: string, check: boolean): Promise<void> {
  const text = await readStandardInput();
  const formatted = await formatSource(text, name);
  if (formatted === undefined) throw new Stop(EXIT.input);
  if (!check) printFile(formatted);
  else if (formatted !== text) throw new Stop(EXIT.input);
}
