/** `resnetc find-rate TARGET --recipe R --data D`: the loss while the learning rate rises, and a rate to begin with. */
import type { DeviceRequest } from "../../compiler/device.js";
import { Command, InvalidArgumentError } from "commander";
import type { FoundRate } from "../../runtime/training/find-rate.js";
import { examples, TARGET, wholeNumber } from "../arguments.js";
import { DATA, loadData } from "../data.js";
import { deviceOption } from "../device-option.js";
import { EXIT, InputFailure, Stop } from "../failure.js";
import { nameOfOutput, outputFile, writeOutput } from "../output.js";
import { startProgress } from "../progress.js";
import { changesOf, phaseOption, setOption, type RecipeChanges } from "../recipe-options.js";
import { onFirstSignal } from "../signals.js";
import { loadModel, loadPhase } from "../target.js";
import { printReport, writtenFiles } from "../report.js";
import { log, logWarning } from "../terminal.js";
import { loadWeights } from "../weights.js";

interface Options extends Pick<RecipeChanges, "set" | "batch" | "seed"> {
  readonly recipe: string;
  readonly phase?: string;
  readonly data: string;
  readonly output: string;
  readonly steps?: number;
  readonly from?: number;
  readonly to?: number;
  readonly device: DeviceRequest;
  readonly weights?: string;
  readonly lenient?: boolean;
  readonly workers?: number;
  readonly threads?: number;
  readonly json?: boolean;
}

export function findRateCommand(): Command {
  return new Command("find-rate")
    .description("train for a while at a rising learning rate, draw the loss, and suggest a rate")
    .argument("<target>", TARGET)
    .requiredOption("--recipe <name>", "the recipe that it will be trained by")
    .requiredOption("--data <data>", DATA)
    .option("-o, --output <file>", "where to write the SVG", "rates.svg")
    .option("--steps <n>", "updates that are made (default: 100)", wholeNumber(10, 100_000))
    .option("--from <rate>", "the first rate (default: 1e-7)", positive)
    .option("--to <rate>", "the last rate (default: 10)", positive)
    .addOption(phaseOption())
    .addOption(setOption())
    .option("--batch <n>", "images of an update, in place of the recipe's", wholeNumber(1, 65_536))
    .option("--seed <n>", "the seed of initial weights and batches", wholeNumber(0))
    .option("--weights <file>", "begin with these weights in place of random ones")
    .option("--lenient", "accept weights that do not fit in every tensor")
    .addOption(deviceOption())
    .option("--workers <n>", "threads that decode and augment", wholeNumber(0, 1024))
    .option("--threads <n>", "threads that the processor may use for the network", wholeNumber(1, 1024))
    .option("--json", "for programs: rates, losses and the suggestion")
    .addHelpText(
      "after",
      examples(
        ['resnetc find-rate "CifarResNet(depth: 20)" --recipe shapes --data shapes -o rates.svg', "random weights"],
        ["resnetc find-rate ResNet18 --recipe mine.resnet --data photos --weights resnet18.pth", "fine-tuning"],
      ),
    )
    .action(run);
}

function positive(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value > 0 && Number.isFinite(value))) {
    throw new InvalidArgumentError("a number above 0 is needed.");
  }
  return value;
}

async function run(target: string, options: Options): Promise<void> {
  const { steps = 100, from, to, batch, seed, set, json } = options;
  const output = outputFile(options.output, json === undefined ? {} : { json });
  const recipe = await loadPhase(
    options.recipe,
    options.phase,
    changesOf({ ...(set && { set }), ...(batch !== undefined && { batch }), ...(seed !== undefined && { seed }) }),
  );
  const model = await loadModel(target);
  const weights = options.weights === undefined ? undefined : await loadWeights(model, options.weights, options);
  const { learnsMasks } = await import("../../runtime/training/detection/masks.js");
  const data = await loadData(options.data, { divide: true, masks: learnsMasks(model) });
  const { findRate } = await import("../../runtime/training/find-rate.js");
  const { drawRates } = await import("../../runtime/figures/rates.js");
  const stop = new AbortController();
  const takeBack = onFirstSignal(() => stop.abort());
  const progress = await startProgress({ label: "finding a rate", total: steps, unit: "updates" });
  const notices: string[] = [];
  let made = 0;
  try {
    const found = await findRate(
      { model, recipe, data, names: { target, recipe: options.recipe, data: options.data } },
      {
        steps,
        device: options.device,
        signal: stop.signal,
        onPoint: () => progress.update(++made),
        onWarning: logWarning,
        onNotice(message) {
          notices.push(message);
          log(message);
        },
        ...(from !== undefined && { from }),
        ...(to !== undefined && { to }),
        ...(weights && { weights: weights.values }),
        ...(options.workers !== undefined && { workers: options.workers }),
        ...(options.threads !== undefined && { threads: options.threads }),
      },
    );
    progress.stop();
    if (stop.signal.aborted) throw new Stop(EXIT.interrupted);
    if (found.points.length < 2)
      throw new InputFailure("the loss was no number from the beginning: --from a lower rate");
    await writeOutput(output, [Buffer.from(drawRates(found, `${target}, ${options.recipe}`))]);
    if (json) printReport({ ...found, notices, file: options.output, files: await writtenFiles([output]) });
    else logFound(found, nameOfOutput(output));
  } catch (error) {
    if (stop.signal.aborted && error === stop.signal.reason) throw new Stop(EXIT.interrupted);
    throw error;
  } finally {
    progress.stop();
    takeBack();
    weights?.close();
  }
}

function logFound({ points, suggestion, lowest, steepest, ended }: FoundRate, file: string): void {
  const last = points.at(-1)!.rate.toPrecision(2);
  if (ended === "diverged") log(`the loss diverged above a rate of ${last}`);
  if (suggestion === undefined) log(`the loss never fell up to a rate of ${last}: no suggestion`);
  else {
    const falls = steepest === undefined ? "" : ` (it falls fastest at ${steepest.toPrecision(2)})`;
    const at = lowest!.toPrecision(2);
    log(`a learning rate of ${suggestion}: a tenth of ${at}, where the mean of the losses is lowest${falls}`);
  }
  log(`wrote ${file}`);
}
