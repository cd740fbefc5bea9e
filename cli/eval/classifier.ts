/** A classifier run over labelled images, and judged. */
import type { DeviceRequest } from "../../compiler/device.js";
import type { WeightsOrigin } from "../../compiler/metadata.js";
import type { Preprocess } from "../../compiler/model.js";
import type { ClassesBy } from "../../runtime/data/class-match.js";
import type { DataSet, Split } from "../../runtime/data/index.js";
import { isOther, type Group } from "../../runtime/parallel/group.js";
import type { EvaluateOptions, Judgement } from "../../runtime/classification/evaluate.js";
import type { ScoreKind } from "../../runtime/classification/score-kind.js";
import { classificationReport } from "./classification-report.js";
import { labelsReport } from "./labels-report.js";
import { InputFailure } from "../failure.js";
import { FewWarnings } from "../few.js";
import { outputFile, writeOutput } from "../output.js";
import { startProgress } from "../progress.js";
import { explainScores, scoresReport } from "../scores.js";
import { runnable, type RunnableOptions } from "../runnable.js";
import { readOrigin } from "../weights.js";
import { printReport, writtenFiles } from "../report.js";
import { colours, plural, print, log, logWarning } from "../terminal.js";

export interface EvalClassifierOptions extends RunnableOptions {
  readonly crops?: "1" | "10";
  readonly scales?: readonly number[];
  readonly batch?: number;
  readonly device: DeviceRequest;
  readonly threads?: number;
  readonly strict?: boolean;
  readonly scores?: ScoreKind;
  readonly classesBy?: ClassesBy;
  /** Processes that evaluate together; the first tells. */
  readonly group?: Group;
  /** Where to draw the confusion matrix, as SVG. */
  readonly confusion?: string;
  /** Where to write what was said of each image: .csv or .jsonl. */
  readonly predictions?: string;
  /** Classes of each image in that file. Default 5. */
  readonly top?: number;
  readonly json?: boolean;
}

export interface EvalLabelsOptions extends EvalClassifierOptions {
  /** Labels with a probability above it are said to be there. Default 0.5. */
  readonly threshold?: number;
}

interface EvaluatedData {
  readonly data: DataSet;
  readonly split: Split;
}

/** Judges a classifier of one class an image. The data's own warnings have been told. */
export async function evalClassifier(
  target: string,
  { data, split }: EvaluatedData,
  options: EvalClassifierOptions,
): Promise<void> {
  const { checkTarget } = await import("../../runtime/files.js");
  const { evaluateModel } = await import("../../runtime/classification/evaluate.js");
  const confusion = options.confusion === undefined ? undefined : outputFile(options.confusion, options);
  // Now, and not after the last image.
  if (confusion !== undefined) await checkTarget(confusion, { followLinks: true });
  const { result, weights } = await judged(target, { data, split }, options, evaluateModel);
  if (isOther(options.group)) return;
  if (confusion !== undefined) {
    const { drawConfusion } = await import("../../runtime/figures/confusion.js");
    await writeOutput(confusion, [Buffer.from(drawConfusion(result, `${target} on ${data.name}, ${split.name}`))]);
  }
  await present(target, { data, split }, options, { result, weights, files: [confusion] }, classificationReport);
}

/** Judges a classifier by images with any number of labels. */
export async function evalLabels(target: string, given: EvaluatedData, options: EvalLabelsOptions): Promise<void> {
  const { evaluateLabels } = await import("../../runtime/classification/evaluate.js");
  const { threshold } = options;
  const found = await judged(target, given, options, (model, data, split, how) =>
    evaluateLabels(model, data, split, { ...how, ...(threshold !== undefined && { threshold }) }),
  );
  if (isOther(options.group)) return;
  await present(target, given, options, { ...found, files: [] }, labelsReport);
}

type Judged = Judgement & { readonly images: number };

/** Evaluates, with a bar of progress and the file of predictions that is asked for. */
async function judged<R extends Judged>(
  target: string,
  { data, split }: EvaluatedData,
  options: EvalClassifierOptions,
  evaluate: (model: string | Uint8Array, data: DataSet, split: Split, options: EvaluateOptions) => Promise<R>,
): Promise<{ readonly result: R; readonly weights: WeightsOrigin | null }> {
  const { openPredictions } = await import("../../runtime/classification/predictions.js");
  const { model, ...how } = await trainedAt(target, options);
  const weights = await readOrigin(model);
  const unreadable = new FewWarnings();
  const top = Math.min(options.top ?? 5, data.classes.length);
  const { predictions, group } = options;
  const file = predictions === undefined || isOther(group) ? undefined : openPredictions(predictions, top);
  const progress = await startProgress({ label: "evaluating", total: split.size, unit: "images" });
  try {
    const result = await evaluate(model, data, split, {
      ...how,
      device: options.device,
      crops: options.crops === "10" ? 10 : 1,
      ...(options.batch !== undefined && { batch: options.batch }),
      ...(options.threads !== undefined && { threads: options.threads }),
      ...(options.strict && { strict: true }),
      ...(options.scores !== undefined && { scores: options.scores }),
      ...(options.classesBy !== undefined && { classesBy: options.classesBy }),
      ...(group && { group }),
      onUnreadable: unreadable.add,
      ...(file && { top, onPrediction: file.add }),
      onProgress: (done) => progress.update(done),
    });
    await file?.finish();
    unreadable.end("image", "can't be read");
    return { result, weights };
  } catch (error) {
    await file?.discard();
    throw error;
  } finally {
    progress.stop();
  }
}

/** Tells what was found, to people or programs. */
async function present<R extends Judged>(
  target: string,
  { data, split }: EvaluatedData,
  options: EvalClassifierOptions,
  found: { readonly result: R; readonly weights: WeightsOrigin | null; readonly files: (string | undefined)[] },
  report: (result: R) => string,
): Promise<void> {
  const { result, weights } = found;
  for (const warning of result.warnings) if (!data.warnings.includes(warning)) logWarning(warning);
  if (options.json) {
    const scores = scoresReport(result.scores);
    const files = await writtenFiles([...found.files, options.predictions]);
    printReport({ model: target, data: data.name, split: split.name, weights, ...(result as object), scores, files });
    return;
  }
  log(colours.error.dim(`on ${result.device}: ${result.deviceReason}`));
  const explained = explainScores(result.scores);
  if (explained !== undefined) log(colours.error.dim(explained));
  print(`${data.name}, ${judgedOn(result, split)}`);
  print(report(result));
}

function judgedOn({ images, unreadable }: Judged, { name, size }: Split): string {
  return unreadable === 0
    ? `${plural(images, "image")} of ${name}`
    : `${images} of ${plural(size, "image")} of ${name}: ${unreadable} could not be read`;
}

interface Tested {
  readonly model: string | Uint8Array;
  readonly scales?: readonly number[];
  readonly preprocess?: Preprocess;
  readonly labels?: readonly string[];
}

/**
 * A model, and the scales at which it is tested: those that are asked for, else those of a training's recipe. The model
 * that a training wrote has one size: for scales its network is compiled again, for any.
 */
async function trainedAt(target: string, options: EvalClassifierOptions): Promise<Tested> {
  const { isRunFolder, readConfig, runFolder, targetOf } = await import("../../runtime/training/run-folder.js");
  const asked = options.scales && { scales: options.scales };
  const anySize = options.scales !== undefined;
  if (!isRunFolder(target)) return { model: await runnable(target, { ...options, anySize }), ...asked };
  const run = runFolder(target);
  const config = await readConfig(target);
  const scales = options.scales ?? (options.crops === undefined ? config.settings.testScales : undefined);
  if (scales === undefined) return { model: await runnable(run.model, options) };
  const { subtractsImage } = await import("../../compiler/recipe.js");
  if ([...config.settings.train, ...config.settings.evaluate].some(subtractsImage)) {
    throw new InputFailure(
      `${target}: was trained with a mean image, which has one size: it can't be tested at scales`,
    );
  }
  const { readModelMetadata } = await import("../../runtime/onnx/model-metadata.js");
  const { preprocess, labels } = readModelMetadata(run.model, run.model);
  const model = await runnable(targetOf(config, target), { ...options, weights: run.weights, anySize: true });
  return { model, scales, ...(preprocess && { preprocess }), ...(labels && { labels }) };
}
