/** `resnetc summary TARGET`: the network as table 1 of the paper has it, with what each part costs. */
import { Command } from "commander";
import { examples, inputShape, TARGET, type InputShape } from "../arguments.js";
import { summaryTable } from "../summary-table.js";
import { loadModel } from "../target.js";
import { colours, print, printJson } from "../terminal.js";

interface Options {
  readonly layers?: boolean;
  readonly input?: InputShape;
  readonly json?: boolean;
}

export function summaryCommand(): Command {
  return new Command("summary")
    .description("show output shapes, parameters, multiply-adds and memory, as table 1 of the paper")
    .argument("<target>", TARGET)
    .option("--layers", "every layer in a row of its own, blocks not collapsed")
    .option("--input <shape>", "count for this input size, as 3x320x320", inputShape)
    .option("--json", "for programs: every layer and stage, with totals")
    .addHelpText(
      "after",
      examples(
        ["resnetc summary ResNet50", "table 1's fourth column"],
        ["resnetc summary net.resnet#Small --layers", "every layer"],
        ["resnetc summary ResNet152 --json", "for programs"],
      ),
    )
    .action(async (target: string, options: Options) => {
      const model = await loadModel(target, { input: options.input });
      const { summarize } = await import("../../compiler/summary.js");
      const summary = summarize(model);
      if (options.json) printJson(summary);
      else print(summaryTable(summary, options.layers === true, colours.out));
    });
}
