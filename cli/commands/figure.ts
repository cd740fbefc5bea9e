/** `resnetc figure TARGET...`: networks drawn as figure 3 of the paper draws them. */
import { Command } from "commander";
import type { Model } from "../../compiler/model.js";
import { examples, TARGET } from "../arguments.js";
import { nameOfOutput, outputFile, writeOutput } from "../output.js";
import { loadModel } from "../target.js";
import { printReport, writtenFiles } from "../report.js";
import { log } from "../terminal.js";

interface Options {
  readonly output?: string;
  readonly collapse?: boolean;
  readonly title?: readonly string[];
  readonly json?: boolean;
}

export function figureCommand(): Command {
  return new Command("figure")
    .description("draw networks side by side as SVG, as figure 3 of the paper")
    .argument("<targets...>", TARGET)
    .option("-o, --output <file>", "where to write the SVG; default, and for -: the standard output")
    .option(
      "--collapse",
      "draw equal blocks that follow each other once, with their number (default for long networks)",
    )
    .option("--no-collapse", "draw every block")
    .option("--title <text...>", "what stands above each network; default: its name and arguments")
    .option("--json", "for programs: what was drawn, and the file; goes with -o")
    .addHelpText(
      "after",
      examples(
        ["resnetc figure VGG19 Plain34 ResNet34 -o figure3.svg", "the paper's figure 3"],
        ["resnetc figure ResNet152 -o resnet152.svg", "blocks collapsed, × 35"],
      ),
    )
    .action(async (targets: string[], options: Options) => {
      const output = outputFile(options.output ?? "-", options);
      const models: Model[] = [];
      for (const target of targets) models.push(await loadModel(target));
      const titles = options.title ?? targets.map((target, index) => titleOf(target) ?? models[index]!.name);
      const { figure } = await import("../../runtime/figures/figure.js");
      const svg = figure(models, {
        ...(options.collapse === undefined ? {} : { collapse: options.collapse }),
        titles,
      });
      await writeOutput(output, [new TextEncoder().encode(svg)]);
      if (options.json) {
        const networks = models.map(({ name }, index) => ({ name, title: titles[index] ?? name }));
        printReport({ networks, files: await writtenFiles([output]) });
      } else if (options.output !== undefined) log(`wrote ${nameOfOutput(output)}`);
    });
}

/** `CifarResNet(depth: 110)`; undefined where only a file is named. */
function titleOf(target: string): string | undefined {
  const expression = target.slice(target.indexOf("#") + 1);
  return /^[A-Za-z_]\w*\s*(\(|$)/.test(expression) ? expression : undefined;
}
