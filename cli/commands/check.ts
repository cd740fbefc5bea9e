/** `resnetc check FILES`: every problem of the sources, without compiling them. */
import { Command, Option } from "commander";
import type { Findings, SourceText } from "../../compiler/analyze.js";
import { diagnosticToJson, renderDiagnostic, type DiagnosticJson } from "../../compiler/diagnostics/render.js";
import { examples, wholeNumber } from "../arguments.js";
import { workflowCommands } from "../diagnostics/github.js";
import { sarif } from "../diagnostics/sarif.js";
import { EXIT, Stop, UsageFailure } from "../failure.js";
import { writeOutput } from "../output.js";
import { packageVersion } from "../package-files.js";
import { portable, readSource, readStandardInput, sourceFiles } from "../sources.js";
import { tally } from "../target.js";
import { colours, isQuiet, palette, plural, print, printJson, log } from "../terminal.js";

const FORMATS = ["text", "json", "sarif", "github"] as const;

interface Options {
  readonly strict?: boolean;
  readonly maxWarnings?: number;
  readonly fix?: boolean;
  readonly watch?: boolean;
  readonly format?: (typeof FORMATS)[number];
  readonly stdinFilepath?: string;
  readonly json?: boolean;
}

export function checkCommand(): Command {
  return new Command("check")
    .description("report every problem in source files: names, arguments, shapes")
    .argument("[paths...]", "files, or folders: every .resnet file in them; default: this folder")
    .option("--strict", "a warning is an error")
    .option("--max-warnings <n>", "more warnings than this are an error", wholeNumber(0))
    .option("--fix", "mend what is known how to mend, in place, and check again")
    .option("--watch", "check again whenever a file changes, or one that it imports")
    .addOption(
      new Option("--format <name>", "text, json (as --json), sarif, or github's workflow commands").choices(FORMATS),
    )
    .option("--stdin-filepath <path>", "check the standard input as if it were this file, as an editor does")
    .option("--json", "for programs: the problems with their places")
    .addHelpText(
      "after",
      examples(
        ["resnetc check", "every file in this folder, problems with the place underlined"],
        ["resnetc check net.resnet --fix", "mends what it can"],
        ["resnetc check --strict --format github", "for continuous integration"],
        ["resnetc check --stdin-filepath net.resnet --json < buffer", "for editors"],
      ),
    )
    .action(run);
}

async function run(named: string[], options: Options): Promise<void> {
  const { strict, maxWarnings, fix, watch, stdinFilepath } = options;
  const format = options.format ?? (options.json ? "json" : "text");
  if (options.json && format !== "json") throw new UsageFailure(`--json does not go with --format ${format}`);
  if (strict && maxWarnings !== undefined) throw new UsageFailure("--strict does not go with --max-warnings");
  if (watch && format !== "text") throw new UsageFailure(`--watch does not go with --format ${format}`);
  if (stdinFilepath !== undefined) {
    if (named.length > 0) throw new UsageFailure("--stdin-filepath goes without paths");
    if (fix || watch) throw new UsageFailure(`--stdin-filepath does not go with ${fix ? "--fix" : "--watch"}`);
    const text = await readStandardInput();
    report(await examine([{ path: portable(stdinFilepath), text }], false, await checker()), { ...options, format });
    return;
  }
  const paths = named.length === 0 ? ["."] : named;
  const checked = await checker();
  if (!watch) return report(await examine(await readAll(paths), fix === true, checked), { ...options, format });
  const { keepRunning } = await import("../diagnostics/watch.js");
  await keepRunning(paths, async () => {
    const examined = await examine(await readAll(paths), fix === true, checked);
    try {
      report(examined, { ...options, format });
    } catch (error) {
      // What is wrong was told; the exit code of one round is nobody's.
      if (!(error instanceof Stop)) throw error;
    }
    return [...examined.findings.sources.keys()];
  });
}

async function readAll(paths: readonly string[]): Promise<SourceText[]> {
  const texts: SourceText[] = [];
  for (const path of await sourceFiles(paths)) texts.push({ path, text: await readSource(path) });
  return texts;
}

interface Examined {
  readonly files: readonly string[];
  readonly findings: Findings;
  /** Fixes made by file; undefined where none were asked for. */
  readonly fixed: ReadonlyMap<string, number> | undefined;
}

type Checker = (sources: readonly SourceText[]) => Findings;

/** Checks sources, and of those that it has checked before what has changed. */
async function checker(): Promise<Checker> {
  const { Workspace } = await import("../../compiler/workspace/workspace.js");
  const { fileHost } = await import("../../runtime/host.js");
  const workspace = new Workspace(fileHost());
  return (sources) => workspace.check(sources).findings;
}

async function examine(texts: readonly SourceText[], fix: boolean, checked: Checker): Promise<Examined> {
  const files = texts.map(({ path }) => path);
  if (!fix) return { files, findings: checked(texts), fixed: undefined };
  const { fixSources } = await import("../diagnostics/fixes.js");
  const { texts: mended, findings, made } = fixSources(texts, checked);
  for (const { path, text } of mended) if (made.has(path)) await writeOutput(path, [new TextEncoder().encode(text)]);
  return { files, findings, fixed: made };
}

function report({ files, findings, fixed }: Examined, options: Options & { format: (typeof FORMATS)[number] }): void {
  const { diagnostics, sources, errorCount: errors, warningCount: warnings } = findings;
  // Of very many the first are among the diagnostics.
  const omitted = errors + warnings - diagnostics.length;
  const list = (): DiagnosticJson[] => diagnostics.map((diagnostic) => diagnosticToJson(diagnostic, sources));
  const verdict = (): string =>
    `${plural(files.length, "file")}: ${diagnostics.length === 0 ? "no problems" : tally(findings)}`;
  const made = [...(fixed ?? [])].map(([file, fixes]) => ({ file, fixes }));
  switch (options.format) {
    case "json":
      printJson({ schema: 1, files, errors, warnings, omitted, ...(fixed && { fixed: made }), diagnostics: list() });
      break;
    case "sarif":
      printJson(sarif(list(), packageVersion()));
      break;
    case "github":
      if (diagnostics.length > 0) print(workflowCommands(list()));
      log(verdict());
      break;
    case "text":
      for (const { file, fixes } of made) print(`${file}: ${plural(fixes, "problem")} mended`);
      for (const diagnostic of diagnostics) print(`${renderDiagnostic(diagnostic, sources, palette("out"))}\n`);
      if (diagnostics.length > 0) print(verdict());
      else if (!isQuiet()) print(`${plural(files.length, "file")}: ${colours.out.green("no problems")}`);
  }
  const allowed = options.strict ? 0 : (options.maxWarnings ?? Infinity);
  if (warnings > allowed && options.format === "text") {
    log(options.strict ? "--strict: a warning is an error" : `more than --max-warnings ${allowed}`);
  }
  if (errors > 0 || warnings > allowed) throw new Stop(EXIT.input);
}
