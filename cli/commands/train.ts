/** `resnetc train TARGET --recipe R --data D -o run/`: from random weights to a model that classifies. */
import type { DeviceRequest } from "../../compiler/device.js";
import { Command, Option } from "commander";
import { recipeProblems } from "../../compiler/recipe-rules.js";
import type { AlgorithmChoices } from "../../runtime/tuning/tune.js";
import type { Ranks } from "../../runtime/parallel/ranks.js";
import type {
  Exported,
  GradientFormat,
  RanksInfo,
  TrainEvent,
  TrainRequest,
  TrainResult,
} from "../../runtime/training/request.js";
import { comparedWords, judgedWords } from "../../runtime/training/judge.js";
import { examples, shareOrCount, TARGET, wholeNumber } from "../arguments.js";
import { DATA, LABELS_DATA, loadData } from "../data.js";
import { deviceOption } from "../device-option.js";
import { EXIT, Stop, UsageFailure } from "../failure.js";
import type { ValidationMetrics } from "../../runtime/training/metrics.js";
import { packageVersion } from "../package-files.js";
import {
  asRank,
  isRank,
  joinRanks,
  launchRanks,
  onAll,
  onStopOfRank,
  rankTimeoutOption,
  type RankOptions,
} from "../ranks.js";
import { onFirstSignal } from "../signals.js";
import { changesOf, setOption, type RecipeChanges } from "../recipe-options.js";
import { loadModel, loadRecipe } from "../target.js";
import { printReport, writtenFiles } from "../report.js";
import { colours, count, plural, log, logWarning } from "../terminal.js";
import { startTrainingProgress, type TrainingProgress } from "../training-progress.js";
import { loadWeights, WEIGHTS, type WeightsChoice } from "../weights.js";

interface Options extends WeightsChoice, RecipeChanges, RankOptions {
  readonly recipe: string;
  readonly data: string;
  readonly output: string;
  readonly device: DeviceRequest;
  readonly resume?: boolean;
  readonly best?: boolean;
  readonly weights?: string;
  readonly workers?: number;
  readonly threads?: number;
  readonly gradients?: GradientFormat;
  readonly tuned: boolean;
  readonly validation?: number;
  readonly strict?: boolean;
  readonly images?: number;
  readonly json?: boolean;
}

export function trainCommand(): Command {
  return new Command("train")
    .description("train a network; Ctrl-C saves and ends, --resume goes on")
    .argument("<target>", TARGET)
    .requiredOption("--recipe <name>", "how: shapes, scenes, cifar10, imagenet (std/recipes), or file#recipe")
    .requiredOption("--data <data>", `${DATA}; ${LABELS_DATA}`)
    .requiredOption("-o, --output <folder>", "where checkpoints, metrics and the trained model go")
    .addOption(deviceOption())
    .option("--resume", "go on from the newest checkpoint in the folder")
    .option("--best", "end with the weights of the best validation (error, mAP, AP), not with the last")
    .option("--weights <file>", "begin with these weights in place of random ones")
    .addOption(WEIGHTS.lenient)
    .addOption(WEIGHTS.newHead)
    .addOption(WEIGHTS.stateDict)
    .addOption(WEIGHTS.adaptInput)
    .addOption(WEIGHTS.epsilon)
    .addOption(setOption())
    .option("--steps <n>", "updates, in place of the recipe's stop", wholeNumber(1))
    .option("--epochs <n>", "epochs, in place of the recipe's stop", wholeNumber(1))
    .option("--batch <n>", "images of an update, in place of the recipe's", wholeNumber(1, 65_536))
    .option("--seed <n>", "the seed of initial weights, batches and augmentation", wholeNumber(0))
    .option("--workers <n>", "threads that decode and augment", wholeNumber(0, 1024))
    .option("--threads <n>", "threads that the processor may use for the network", wholeNumber(1, 1024))
    .option("--no-tuned", "write operations as estimated, not as resnetc tune measured on this machine")
    .option("--validation <part>", "without val: images set aside, a share (0.1, usual) or how many", shareOrCount)
    .option(
      "--images <n>",
      "images shown in TensorBoard, of the first batch and each validation (default: 8)",
      wholeNumber(0, 64),
    )
    .option("--strict", "an image that can't be read is an error")
    .option("--ranks <n>", "processes on this machine that train together, started by mpirun", wholeNumber(1, 4096))
    .option("--restart <n>", "with --ranks: starts a job that was lost again, so often at most", wholeNumber(0, 10_000))
    .addOption(rankTimeoutOption())
    .addOption(
      new Option(
        "--gradients <format>",
        "of ranks: what goes between them; fp16 is half the bytes, and rounds (default: fp32)",
      ).choices(["fp32", "fp16"]),
    )
    .option("--json", "for programs: a report at the end")
    .addHelpText(
      "after",
      examples(
        ['resnetc train "CifarResNet(depth: 20)" --recipe shapes --data shapes -o run', "minutes on a laptop"],
        ["resnetc train CifarResNet --recipe cifar10 --data cifar10:data -o run", "section 4.2 of the paper"],
        ["resnetc train ResNet18 --recipe shapes --data photos -o run --set learning_rate=0.01", "another rate"],
        ["resnetc train net.resnet#Detector --recipe scenes --data coco:FOLDER -o run", "a detector"],
        ["resnetc train net.resnet --recipe net.resnet#quick --data photos -o run --resume", "goes on"],
        ["mpirun -np 8 --hostfile hosts resnetc train ResNet50 --recipe imagenet --data IMAGENET -o run", "8 machines"],
      ),
    )
    .action(run);
}

async function run(target: string, options: Options): Promise<void> {
  if (options.steps !== undefined && options.epochs !== undefined) {
    throw new UsageFailure("--steps does not go with --epochs");
  }
  if (options.ranks !== undefined && options.ranks > 1 && !isRank()) {
    return launchRanks(process.argv.slice(2), options);
  }
  const ranks = await joinRanks(options);
  await asRank(ranks, () => trainOn(ranks, target, options));
}

async function trainOn(ranks: Ranks, target: string, options: Options): Promise<void> {
  const stop = new AbortController();
  const stopNow = (reason: string): void => {
    log("stopping after this update; once more ends at once");
    stop.abort(reason);
  };
  // Of a rank the signal would end the process until it is listened to.
  let takeBack = ranks.size > 1 ? onStopOfRank(ranks, stopNow) : undefined;
  let given: Given | undefined;
  try {
    await onAll(ranks, async () => {
      given = await load(target, options);
    });
    const { request, weights, algorithms } = given!;
    takeBack ??= onFirstSignal(stopNow);
    const { train } = await import("../../runtime/training/trainer.js");
    // What the recipe's own text is told of was told when it was read.
    const report = new Report(recipeProblems(request.recipe).map(({ message }) => message));
    try {
      const result = await train(request, {
        device: options.device,
        signal: stop.signal,
        version: packageVersion(),
        algorithms,
        ranks,
        onEvent: (event) => report.event(event),
        ...(options.resume && { resume: true }),
        ...(options.best && { best: true }),
        ...(options.strict && { strict: true }),
        images: options.images ?? 8,
        ...(weights && { weights: weights.values }),
        ...(options.workers !== undefined && { workers: options.workers }),
        ...(options.threads !== undefined && { threads: options.threads }),
        ...(options.gradients && { gradients: options.gradients }),
      });
      report.stop();
      await logResult(result, options, report, ranks);
    } finally {
      report.stop();
    }
  } finally {
    takeBack?.();
    given?.weights?.close();
  }
}

/** What the command line names. */
interface Given {
  readonly request: TrainRequest;
  readonly weights: Awaited<ReturnType<typeof loadWeights>> | undefined;
  readonly algorithms: AlgorithmChoices;
}

async function load(target: string, options: Options): Promise<Given> {
  const recipe = await loadRecipe(options.recipe, changesOf(options));
  const model = await loadModel(target);
  const weights = options.weights === undefined ? undefined : await loadWeights(model, options.weights, options);
  const { learnsMasks } = await import("../../runtime/training/detection/masks.js");
  const data = await loadData(options.data, {
    seed: recipe.seed,
    divide: true,
    masks: learnsMasks(model),
    ...(options.validation !== undefined && { validation: options.validation }),
  });
  const algorithms = options.tuned ? await measuredAlgorithms(options) : {};
  const names = { target, recipe: options.recipe, data: options.data };
  return { request: { model, recipe, data, folder: options.output, names }, weights, algorithms };
}

async function measuredAlgorithms({ threads }: Options): Promise<AlgorithmChoices> {
  const { tunedAlgorithms } = await import("../../runtime/tuning/tune.js");
  return tunedAlgorithms({ onWarning: logWarning, ...(threads !== undefined && { threads }) });
}

function ranksWords({ size, machines, engine, gradients }: RanksInfo): string {
  const where = machines === 1 ? "one machine" : plural(machines, "machine");
  const sent = gradients === "fp16" ? "; gradients go between them in fp16" : "";
  return `on ${size} ranks on ${where}, connected by ${engine}: each computes its share of every batch${sent}`;
}

/** Milliseconds between two lines of how far the proposals are. */
const PROPOSING_EVERY = 10_000;

/** What happens, told as it does. */
class Report {
  /** For programs, all that was told in words. */
  readonly warnings: string[] = [];
  readonly notices: string[] = [];
  readonly #known: ReadonlySet<string>;
  /** When a line was last printed of how far the proposals are. */
  #told = performance.now();
  #progress: Promise<TrainingProgress> | undefined;
  #shown: TrainingProgress | undefined;

  constructor(known: readonly string[]) {
    this.#known = new Set(known);
  }

  event(event: TrainEvent): void {
    switch (event.kind) {
      case "start": {
        const { device, deviceReason, step: total, phase, length, batch, ranks, tuned } = event;
        const step = total - (phase?.before ?? 0);
        this.#log(() => {
          if (phase) log(`phase ${phase.number} of ${phase.of}, ${phase.name}`);
          const made = step > 0 ? `going on after ${count(step)} of ` : "";
          const all = `${plural(length.steps, "update")} of ${plural(batch, "image")}`;
          log(`${made}${all}, ${count(length.stepsPerEpoch)} an epoch`);
          log(colours.error.dim(`on ${device}: ${deviceReason}`));
          if (ranks) log(colours.error.dim(ranksWords(ranks)));
          if (tuned > 0) log(colours.error.dim(`${plural(tuned, "kind")} of operations as measured by resnetc tune`));
        });
        this.#shown?.stop();
        this.#shown = undefined;
        this.#progress = startTrainingProgress(length, batch, phase);
        void this.#progress.then((progress) => (this.#shown = progress));
        break;
      }
      case "step":
        this.#shown?.update(event.metrics);
        break;
      case "validation": {
        const { step, epoch, raw } = event.metrics;
        const plain = raw ? `; without averaging ${judgedWords(raw)}` : "";
        const mark = event.best ? "; the best so far" : "";
        const words = `validation ${judgedWords(event.metrics)}${plain}${mark}`;
        this.#log(() => log(`step ${count(step)}, epoch ${epoch.toFixed(2)}: ${words}`));
        break;
      }
      case "warning":
        if (this.#known.has(event.message)) break;
        this.warnings.push(event.message);
        this.#log(() => logWarning(event.message));
        break;
      case "notice":
        this.notices.push(event.message);
        this.#log(() => log(event.message));
        break;
      case "proposing":
        if (event.done === event.total || performance.now() - this.#told < PROPOSING_EVERY) break;
        this.#told = performance.now();
        this.#log(() => log(`proposals of ${count(event.done)} of ${plural(event.total, "image")}`));
        break;
      case "validating":
      case "checkpoint":
        break;
    }
  }

  stop(): void {
    this.#shown?.stop();
  }

  #log(print: () => void): void {
    if (this.#shown) this.#shown.interrupt(print);
    else print();
  }
}

async function logResult(
  result: TrainResult,
  { output, json, gradients = "fp32" }: Options,
  { warnings, notices }: Report,
  ranks: Ranks,
): Promise<void> {
  const { finished, step, validation, test, best, exported, stoppedEarly, run, waiting, unreadable } = result;
  if (ranks.rank > 0) {
    // The first tells.
  } else if (json) {
    const measured = { validation, test, best, exported, stoppedEarly, waiting, unreadable };
    const files = await writtenFiles(finished ? [run.model, run.weights] : []);
    const { ranksInfo } = await import("../../runtime/training/parallel/team.js");
    const together = ranks.size > 1 && { ranks: ranksInfo(ranks, gradients) };
    printReport({ finished, step, ...measured, ...together, notices, folder: output, files, warnings });
  } else if (finished) {
    if (test) log(`test ${testWords(test)}`);
    if (unreadable > 0) {
      logWarning(`${plural(unreadable, "image")} could not be read; in training, others were taken in their place`);
    }
    log(`the device waited for data ${percent(waiting)} of the time`);
    log(`wrote ${run.model} and ${run.weights}${exported ? `, ${ofWhich(exported, best)}` : ""}`);
  }
  if (finished) return;
  log(`stopped after ${plural(step, "update")}; the same command with --resume goes on`);
  throw new Stop(EXIT.interrupted);
}

function testWords(test: ValidationMetrics): string {
  const { error, error5 } = test;
  return error === undefined || error5 === undefined
    ? judgedWords(test)
    : `error ${percent(error)}, top-5 ${percent(error5)}`;
}

/** Which weights they are, and where there would be better ones. */
function ofWhich({ from, step, error, mAP, AP }: Exported, best: TrainResult["best"]): string {
  const after = `after ${plural(step, "update")}`;
  if (from === "best") return `of the best checkpoint, ${after}${reachedWords({ error, mAP, AP })}`;
  if (best === undefined) return `of the last weights, ${after}`;
  if (best.step === step) return `of the last weights, ${after}, which were the best, too`;
  return `of the last weights, ${after}; the best validation ${comparedWords(best).replace(" ", " was ")}, after ${count(best.step)} (--best takes those)`;
}

function reachedWords({ error, mAP, AP = mAP }: Partial<Record<"error" | "mAP" | "AP", number | undefined>>): string {
  if (AP !== undefined) return ` (${mAP === undefined ? "AP" : "mAP"} ${percent(AP)})`;
  return error === undefined ? "" : ` (${percent(error)})`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}
