/** `resnetc fmt`: source files in the one style. */
import { Command } from "commander";
import { examples } from "../arguments.js";
import { EXIT, Stop } from "../failure.js";
import { formatSource } from "../formatting.js";
import { writeOutput } from "../output.js";
import { readSource, readStandardInput, sourceFiles } from "../sources.js";
import { plural, print, printFile, say } from "../terminal.js";

export function fmtCommand(): Command {
  return new Command("fmt")
    .description("format source files in place")
    .argument("<paths...>", "files, folders (every .resnet file in them), or - for standard input to standard output")
    .option("--check", "write nothing; list the files that are not formatted and exit 1 if there are any")
    .addHelpText(
      "after",
      examples(
        ["resnetc fmt net.resnet", "format one file"],
        ["resnetc fmt --check .", "for continuous integration"],
        ["resnetc fmt - < net.resnet", "print it formatted"],
      ),
    )
    .action(async (paths: string[], options: { check?: boolean }) => {
      if (paths.includes("-")) await formatStandardInput(options.check === true);
      else await formatFiles(await sourceFiles(paths), options.check === true);
    });
}

async function formatFiles(files: readonly string[], check: boolean): Promise<void> {
  const changed: string[] = [];
  let broken = 0;
  for (const file of files) {
    const text = await readSource(file);
    const formatted = await formatSource(text, file);
    if (formatted === undefined) broken += 1;
    else if (formatted !== text) {
      changed.push(file);
      if (!check) await writeOutput(file, [new TextEncoder().encode(formatted)]);
    }
  }
  for (const file of changed) print(file);
  const verb = check ? "not formatted" : "formatted";
  say(`${plural(changed.length, "file")} ${verb}, ${files.length - changed.length - broken} unchanged`);
  if (broken > 0 || (check && changed.length > 0)) throw new Stop(EXIT.input);
}

async function formatStandardInput(check: boolean): Promise<void> {
  const text = await readStandardInput();
  const formatted = await formatSource(text, "standard input");
  if (formatted === undefined) throw new Stop(EXIT.input);
  if (!check) printFile(formatted);
  else if (formatted !== text) throw new Stop(EXIT.input);
}
