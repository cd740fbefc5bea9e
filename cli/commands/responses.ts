/** `resnetc responses RUN...`: how strongly each layer responds, figure 7 of the paper. */
import type { DeviceRequest } from "../../compiler/device.js";
import { Command } from "commander";
import type { WeightsOrigin } from "../../compiler/metadata.js";
import type { Model } from "../../compiler/model.js";
import type { ParameterValues } from "../../compiler/index.js";
import type { DataSet, TransformSettings } from "../../runtime/data/index.js";
import { examples, TARGET, wholeNumber } from "../arguments.js";
import { DATA, loadData } from "../data.js";
import { deviceOption } from "../device-option.js";
import { InputFailure, UsageFailure } from "../failure.js";
import { nameOfOutput, outputFile, writeOutput } from "../output.js";
import { loadModel } from "../target.js";
import { printReport, writtenFiles } from "../report.js";
import { log, logWarning } from "../terminal.js";
import { loadWeights, warnOfRandom, WEIGHTS, type WeightsChoice } from "../weights.js";

interface Options extends WeightsChoice {
  readonly data: string;
  readonly output?: string;
  readonly weights?: string;
  readonly names?: string;
  readonly images: number;
  readonly device: DeviceRequest;
  readonly json?: boolean;
}

export function responsesCommand(): Command {
  return new Command("responses")
    .description("draw the standard deviations of the layers' responses, as figure 7 of the paper, as SVG")
    .argument("<networks...>", `folders of trainings; or one target with --weights: ${TARGET}`)
    .requiredOption("--data <data>", DATA)
    .option("-o, --output <file>", "where to write the SVG; - for the standard output")
    .option("--weights <file>", "weights for a target; default: random ones")
    .addOption(WEIGHTS.lenient)
    .addOption(WEIGHTS.newHead)
    .addOption(WEIGHTS.stateDict)
    .addOption(WEIGHTS.adaptInput)
    .addOption(WEIGHTS.epsilon)
    .option("--names <names>", "of the networks, with commas")
    .option("--images <n>", "how many are looked at", wholeNumber(1), 1000)
    .addOption(deviceOption())
    .option("--json", "for programs: the numbers")
    .addHelpText(
      "after",
      examples(["resnetc responses plain56 resnet56 --data shapes -o responses.svg", "two trainings"]),
    )
    .action(run);
}

async function run(targets: string[], options: Options): Promise<void> {
  if (options.output === undefined && !options.json) throw new UsageFailure("-o or --json is needed");
  const output = options.output === undefined ? undefined : outputFile(options.output, { json: options.json });
  const names = options.names?.split(",");
  if (names && names.length !== targets.length) throw new UsageFailure(`--names: ${targets.length} are needed`);
  const data = await loadData(options.data);
  const networks = [];
  for (const [index, target] of targets.entries()) {
    const network = await networkOf(target, options);
    try {
      const name = names?.[index] ?? network.name;
      warnOfRandom(name, network.origin, "responses");
      networks.push({ name, weights: network.origin, layers: await respond(network, data, options) });
    } finally {
      network.close();
    }
  }
  if (output !== undefined) {
    const { plotResponses } = await import("../../runtime/figures/responses.js");
    await writeOutput(output, [Buffer.from(plotResponses(networks))]);
    log(`wrote ${nameOfOutput(output)}`);
  }
  if (options.json) printReport({ data: data.name, networks, files: await writtenFiles([output]) });
}

interface Network {
  readonly name: string;
  readonly model: Model;
  readonly weights: ParameterValues | undefined;
  readonly origin: WeightsOrigin;
  /** Of the evaluation, where a training says it. */
  readonly transforms: readonly TransformSettings[] | undefined;
  readonly statistics: string | undefined;
  close(): void;
}

async function networkOf(target: string, options: Options): Promise<Network> {
  const { isRunFolder, readConfig, runFolder, targetOf } = await import("../../runtime/training/run-folder.js");
  if (!isRunFolder(target)) {
    const model = await loadModel(target);
    const weights = options.weights === undefined ? undefined : await loadWeights(model, options.weights, options);
    return {
      name: target,
      model,
      weights: weights?.values,
      origin: weights?.emit.origin ?? { from: "random" },
      transforms: undefined,
      statistics: undefined,
      close: () => weights?.close(),
    };
  }
  const config = await readConfig(target);
  const files = runFolder(target);
  const model = await loadModel(targetOf(config, target));
  const weights = await loadWeights(model, files.weights, {});
  const { recipeTransforms } = await import("../../runtime/training/feed.js");
  return {
    name: config.target,
    model,
    weights: weights.values,
    origin: weights.emit.origin ?? { from: "training" },
    transforms: recipeTransforms(config.settings),
    statistics: files.statistics,
    close: () => weights.close(),
  };
}

async function respond(network: Network, data: DataSet, options: Options) {
  const { Loader, subset, loadStatistics } = await import("../../runtime/data/index.js");
  const { layerResponses } = await import("../../runtime/training/responses.js");
  const { channelsFor, needsStatistics, oneView } = await import("../../runtime/training/feed.js");
  const transforms = oneView(network.transforms ?? network.model.preprocess?.transforms ?? []);
  if (needsStatistics(transforms) && network.statistics === undefined) {
    throw new InputFailure(`${network.name}: its mean image is not known`);
  }
  const statistics = needsStatistics(transforms) ? await loadStatistics(network.statistics!) : undefined;
  const all = data.test ?? data.validation;
  const split = subset(
    all,
    Uint32Array.from({ length: Math.min(options.images, all.size) }, (_, index) => index),
  );
  const channels = channelsFor(network.model);
  const loader = new Loader({ onUnreadable: logWarning });
  try {
    const batches = loader.evaluation({
      split,
      batch: 50,
      transforms,
      ...(statistics && { statistics }),
      ...(channels && { channels }),
    });
    return await layerResponses(network.model, network.weights, batches, { device: options.device });
  } finally {
    await loader.close();
  }
}
