/** `resnetc tune TARGET`: how the operations of its training are best written on this machine, found by measuring. */
import { Command } from "commander";
import type { Device } from "../../runtime/onnx/device.js";
import type { Tuned, Tuning } from "../../runtime/tuning/tune.js";
import { examples, inputShape, TARGET, wholeNumber, type InputShape } from "../arguments.js";
import { deviceOption } from "../device-option.js";
import { EXIT, InputFailure, Stop } from "../failure.js";
import { startProgress, type Progress } from "../progress.js";
import { onFirstSignal } from "../signals.js";
import { renderTable } from "../table.js";
import { phaseOption } from "../recipe-options.js";
import { loadModel, loadPhase } from "../target.js";
import { printReport } from "../report.js";
import { colours, count, plural, print, log, logWarning } from "../terminal.js";

interface Options {
  readonly recipe: string;
  readonly phase?: string;
  readonly batch?: number;
  readonly input?: InputShape;
  readonly device: Device | "auto";
  readonly threads?: number;
  readonly again?: boolean;
  readonly json?: boolean;
}

export function tuneCommand(): Command {
  return new Command("tune")
    .description("measure how the operations of a training are fastest written on this machine; train uses it")
    .argument("<target>", TARGET)
    .requiredOption("--recipe <name>", "the recipe that it will be trained by")
    .addOption(phaseOption())
    .option("--batch <n>", "images of an update, in place of the recipe's", wholeNumber(1, 65_536))
    .option("--input <shape>", "input size that it will be trained at, as 3x64x64", inputShape)
    .addOption(deviceOption())
    .option("--threads <n>", "threads that the processor may use, as for train", wholeNumber(1, 1024))
    .option("--again", "measure also what was measured before")
    .option("--json", "for programs: every operation with the times of every method")
    .addHelpText(
      "after",
      examples(
        ['resnetc tune "CifarResNet(depth: 20)" --recipe shapes', "before train with the same target and recipe"],
        ["resnetc tune ResNet50 --recipe imagenet --batch 32", "measured for this batch size alone"],
      ),
    )
    .action(run);
}

async function run(target: string, options: Options): Promise<void> {
  const { batch, device, threads, again, json } = options;
  const { classWeights: _, ...recipe } = await loadPhase(options.recipe, options.phase);
  const model = await loadModel(target, { input: options.input });
  if (model.detection && options.input === undefined) {
    throw new InputFailure(
      `${model.name} is trained at several sizes: name the one to measure at with --input (train says which: ` +
        "images are computed at 640x480 is --input 3x480x640)",
    );
  }
  const { recipeOptions } = await import("../../compiler/training/from-recipe.js");
  const settings = recipeOptions({ ...recipe, ...(batch !== undefined && { batch }) });
  if (!Number.isInteger(settings.batch)) {
    throw new InputFailure(`a batch of ${batch ?? recipe.batch} can't be computed in ${recipe.accumulate} equal parts`);
  }
  const { tune } = await import("../../runtime/tuning/tune.js");
  const stop = new AbortController();
  const takeBack = onFirstSignal(() => {
    log("stopping after this operation; once more ends at once");
    stop.abort();
  });
  const progress = new Shown();
  try {
    const tuning = await tune(model, settings, {
      device,
      signal: stop.signal,
      onProgress: (done, total) => progress.update(done, total),
      onWarning: logWarning,
      ...(threads !== undefined && { threads }),
      ...(again && { again }),
    });
    progress.stop();
    if (json) printReport({ network: model.name, batch: settings.batch, ...tuning });
    else logTuning(tuning);
    if (tuning.finished) return;
    log("stopped; the same command goes on with what is left");
    throw new Stop(EXIT.interrupted);
  } finally {
    progress.stop();
    takeBack();
  }
}

/** A bar that begins when it is known how much there is to do. */
class Shown {
  #bar: Promise<Progress> | undefined;
  #stopped = false;

  update(done: number, total: number): void {
    this.#bar ??= startProgress({ label: "measuring", total, unit: "operations" });
    void this.#bar.then((bar) => !this.#stopped && bar.update(done));
  }

  stop(): void {
    this.#stopped = true;
    void this.#bar?.then((bar) => bar.stop());
  }
}

function logTuning({ device, deviceReason, file, operations }: Tuning): void {
  log(colours.error.dim(`on ${device}: ${deviceReason}`));
  const faster = operations.filter(isOther).sort((a, b) => saving(b) - saving(a));
  if (faster.length > 0) print(table(faster));
  const known = operations.filter((each) => each.known).length;
  log(
    `${plural(operations.length, "kind")} of operations` +
      (known > 0 ? `, ${count(known)} of them measured before` : "") +
      `; ${count(faster.length)} written otherwise than estimated` +
      (faster.length > 0 ? `, which saves ${milliseconds(sum(faster.map(saving)))} of ` : ": ") +
      `${milliseconds(sum(operations.map(estimated)))} in a step`,
  );
  log(`kept in ${file}`);
}

function table(operations: readonly Tuned[]): string {
  const { dim } = colours.out;
  const rows = operations.map((each) => {
    const { op, layers, estimate, method, seconds } = each;
    const more = layers.length > 1 ? ` and ${layers.length - 1} more` : "";
    const before = seconds[estimate];
    return [
      op,
      `${layers[0]!}${more}`,
      estimate,
      before === undefined ? "does not run" : milliseconds(before),
      method!,
      milliseconds(seconds[method!]!),
    ];
  });
  const header = ["operation", "layers", "estimated", "", "measured", ""].map(dim);
  return renderTable([header, ...rows], ["left", "left", "left", "right", "left", "right"]);
}

function isOther({ method, estimate }: Tuned): boolean {
  return method !== undefined && method !== estimate;
}

/** Seconds of a step, in all layers of the kind, by the cost model's choice; by the fastest where that does not run. */
function estimated({ layers, estimate, method, seconds }: Tuned): number {
  return layers.length * (seconds[estimate] ?? seconds[method ?? ""] ?? 0);
}

function saving(each: Tuned): number {
  return estimated(each) - each.layers.length * (each.seconds[each.method!] ?? 0);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function milliseconds(seconds: number): string {
  const value = 1000 * seconds;
  return `${value < 99.95 ? value.toPrecision(3) : value.toFixed(0)} ms`;
}
