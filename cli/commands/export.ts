/** `resnetc export TARGET`: weights under the names that another framework gives them. */
import { extname } from "node:path";
import { Command, Option } from "commander";
import type { WeightsOrigin } from "../../compiler/metadata.js";
import type { Model, WeightMap } from "../../compiler/model.js";
import { examples, TARGET, wholeNumber } from "../arguments.js";
import { InputFailure, UsageFailure } from "../failure.js";
import { nameOfOutput, outputFile, STANDARD_OUTPUT } from "../output.js";
import { loadModel } from "../target.js";
import { printReport, writtenFiles } from "../report.js";
import { plural, log } from "../terminal.js";
import { loadWeights, warnOfRandom, WEIGHTS, type WeightsChoice } from "../weights.js";

interface Options extends WeightsChoice {
  readonly weights?: string;
  readonly output: string;
  readonly format?: "pth" | "safetensors";
  readonly names?: string;
  readonly seed?: number;
  readonly json?: boolean;
}

const FORMATS: Readonly<Record<string, "pth" | "safetensors">> = {
  ".pth": "pth",
  ".pt": "pth",
  ".safetensors": "safetensors",
};

export function exportCommand(): Command {
  return new Command("export")
    .description("write weights for another framework: PyTorch's load_state_dict takes the .pth")
    .argument("<target>", TARGET)
    .requiredOption("-o, --output <file>", "a .pth, .pt or .safetensors file; - for the standard output")
    .addOption(new Option("--format <name>", "whatever the file is called").choices(["pth", "safetensors"]))
    .option("--weights <file>", "trained weights, in any format that compile reads; default: random ones")
    .option("--names <map>", "the name map to write by, torchvision_resnet say; default: our own paths")
    .option("--seed <n>", "the seed of random weights", wholeNumber(0))
    .addOption(WEIGHTS.lenient)
    .addOption(WEIGHTS.newHead)
    .addOption(WEIGHTS.stateDict)
    .addOption(WEIGHTS.adaptInput)
    .addOption(WEIGHTS.epsilon)
    .option("--json", "for programs: a report of what was written")
    .addHelpText(
      "after",
      examples(
        [
          "resnetc export ResNet50V15 --weights mine.safetensors --names torchvision_resnet -o resnet50.pth",
          "for PyTorch",
        ],
        ["resnetc export ResNet50V15 --weights resnet50.pth -o mine.safetensors", "under our own paths"],
      ),
    )
    .action(async (target: string, options: Options) => {
      const output = outputFile(options.output, { binary: true });
      const format = options.format ?? FORMATS[extname(output)];
      if (format === undefined) {
        const why =
          output === STANDARD_OUTPUT ? "needs --format" : `ends in none of ${Object.keys(FORMATS).join(", ")}`;
        throw new UsageFailure(`${options.output}: ${why}`);
      }
      const model = await loadModel(target);
      const map = options.names === undefined ? undefined : namedMap(model, options.names);
      const loaded = options.weights === undefined ? undefined : await loadWeights(model, options.weights, options);
      const { exportWeights } = await import("../../runtime/weights/index.js");
      const { parameters } = model.graph;
      const origin: WeightsOrigin = loaded?.emit.origin ?? { from: "random" };
      warnOfRandom(model.name, origin);
      try {
        const { initialWeights } = await import("../../compiler/compile.js");
        const values = loaded?.values ?? initialWeights(model, options.seed ?? 0);
        await exportWeights(output, parameters, values, map, format, origin);
      } finally {
        loaded?.close();
      }
      if (options.json) {
        printReport({
          files: await writtenFiles([output]),
          output: options.output,
          network: model.name,
          tensors: parameters.length,
          names: map?.name ?? null,
          weights: loaded?.report ?? null,
          origin,
        });
        return;
      }
      log(
        `wrote ${nameOfOutput(output)}: ${plural(parameters.length, "tensor")}, ${map ? `names of ${map.name}` : "our own names"}`,
      );
    });
}

function namedMap(model: Model, name: string): WeightMap {
  const found = model.weightMaps.find((map) => map.name === name);
  if (found !== undefined) return found;
  const known = model.weightMaps.map((map) => map.name);
  const choice = known.length === 0 ? "declares none" : `has ${known.join(", ")}`;
  throw new InputFailure(`${model.name} has no name map ${name}: it ${choice} (\`weights\` in its source)`);
}
