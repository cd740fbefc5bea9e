/** `resnetc plot RUN...`: training curves, several runs together. */
import { basename } from "node:path";
import { Command } from "commander";
import { examples } from "../arguments.js";
import { InputFailure, UsageFailure } from "../failure.js";
import { nameOfOutput, outputFile, writeOutput } from "../output.js";
import { printReport, writtenFiles } from "../report.js";
import { log } from "../terminal.js";

interface Options {
  readonly output: string;
  readonly title?: string;
  readonly names?: string;
  readonly top?: number;
  readonly log?: boolean;
  readonly linear?: boolean;
  readonly rate?: boolean;
  readonly json?: boolean;
}

export function plotCommand(): Command {
  return new Command("plot")
    .description("draw training and validation errors over iterations, as figures 4 and 6 of the paper, as SVG")
    .argument("<runs...>", "folders of trainings")
    .requiredOption("-o, --output <file>", "where to write the SVG; - for the standard output")
    .option("--title <text>", "what stands above")
    .option("--names <names>", "of the runs, with commas; default: their networks")
    .option("--top <percent>", "highest error of the axis", Number)
    .option("--log", "a logarithmic axis; default: where errors span more than a factor of 20")
    .option("--linear", "a linear axis")
    .option("--rate", "the learning rate, beside the errors")
    .option("--json", "for programs: what was drawn, and the file")
    .addHelpText(
      "after",
      examples(
        ["resnetc plot run -o curves.svg", "one training"],
        ["resnetc plot plain20 plain56 -o plain.svg --names plain-20,plain-56 --top 20", "figure 6"],
      ),
    )
    .action(run);
}

async function run(folders: string[], options: Options): Promise<void> {
  const names = options.names?.split(",");
  if (names && names.length !== folders.length) throw new UsageFailure(`--names: ${folders.length} are needed`);
  if (options.log && options.linear) throw new UsageFailure("--log does not go with --linear");
  if (options.top !== undefined && !(options.top > 0 && options.top <= 100)) {
    throw new UsageFailure("--top: a percentage from 0 to 100 is needed");
  }
  const output = outputFile(options.output, options);
  const { readConfig, runFolder } = await import("../../runtime/training/run-folder.js");
  const { readMetrics } = await import("../../runtime/training/metrics.js");
  const { plot } = await import("../../runtime/figures/plot.js");
  const configs = await Promise.all(folders.map(readConfig));
  const runs = folders.map((folder, index) => {
    const metrics = readMetrics(runFolder(folder).metrics);
    if (metrics.length === 0) throw new InputFailure(`${folder}: nothing was measured yet`);
    const { target } = configs[index]!;
    const same = configs.filter((config) => config.target === target).length > 1;
    return { name: names?.[index] ?? (same ? basename(folder) : target), metrics };
  });
  const svg = plot(runs, {
    ...(options.title !== undefined && { title: options.title }),
    ...(options.top !== undefined && { top: options.top / 100 }),
    ...(options.rate && { rate: true }),
    ...(options.log ? { log: true } : options.linear ? { log: false } : {}),
  });
  await writeOutput(output, [Buffer.from(svg)]);
  if (options.json) {
    const drawn = runs.map(({ name, metrics }, index) => ({
      name,
      folder: folders[index],
      measurements: metrics.length,
    }));
    printReport({ runs: drawn, files: await writtenFiles([output]) });
  } else log(`wrote ${nameOfOutput(output)}`);
}
