/** `resnetc summary TARGET`: the network as table 1 of the paper has it, with what each part costs. */
import { Command } from "commander";
import type { Model } from "../../compiler/model.js";
import { examples, inputShape, TARGET, wholeNumber, type InputShape } from "../arguments.js";
import { summaryTable } from "../summary-table.js";
import { phaseOption } from "../recipe-options.js";
import { loadModel } from "../target.js";
import { printReport } from "../report.js";
import { colours, print } from "../terminal.js";

interface Options {
  readonly layers?: boolean;
  readonly input?: InputShape;
  readonly training?: boolean;
  readonly recipe?: string;
  readonly phase?: string;
  readonly batch?: number;
  readonly json?: boolean;
}

const trainingMemory = async (target: string, whole: Model, options: Options) => {
  const { forTraining, memoryOfTraining } = await import("../training-files.js");
  const { model, size } = await forTraining(target, whole, options.input);
  return memoryOfTraining(model, { ...options, ...(size && { size }) });
};

const describe = async (memory: Awaited<ReturnType<typeof trainingMemory>>) =>
  (await import("../training-files.js")).describeMemory(memory);

export function summaryCommand(): Command {
  return new Command("summary")
    .description("show output shapes, parameters, multiply-adds and memory, as table 1 of the paper")
    .argument("<target>", TARGET)
    .option("--layers", "every layer in a row of its own, blocks not collapsed")
    .option("--input <shape>", "count for this input size, as 3x320x320", inputShape)
    .option("--training", "also the memory that a training step takes")
    .option("--recipe <name>", "with --training: optimiser, batch and the rest (default: cifar10, the paper's SGD)")
    .addOption(phaseOption())
    .option("--batch <n>", "with --training: images of a step, in place of the recipe's", wholeNumber(1, 65_536))
    .option("--json", "for programs: every layer and stage, with totals")
    .addHelpText(
      "after",
      examples(
        ["resnetc summary ResNet50", "table 1's fourth column"],
        ["resnetc summary net.resnet#Small --layers", "every layer"],
        ["resnetc summary ResNet152 --json", "for programs"],
        ["resnetc summary ResNet50 --training --batch 32", "with the memory of a training step"],
      ),
    )
    .action(async (target: string, options: Options) => {
      const model = await loadModel(target, { input: options.input });
      const { summarize } = await import("../../compiler/summary.js");
      const summary = summarize(model);
      const training = options.training ? await trainingMemory(target, model, options) : undefined;
      if (options.json) printReport({ ...summary, ...(training && { training }) });
      else {
        print(summaryTable(summary, options.layers === true, colours.out));
        if (training) print(await describe(training));
      }
    });
}
