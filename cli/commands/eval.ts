/** `resnetc eval MODEL`: top-1 and top-5 error of classifiers, average precision of detectors. */
import { Command, Option } from "commander";
import type { Preprocess } from "../../compiler/model.js";
import { examples, inputShape, MODEL_OR_TARGET, wholeNumber, wholeNumbers } from "../arguments.js";
import { DATA, loadDataFor } from "../data.js";
import { deviceOption } from "../device-option.js";
import { InputFailure, UsageFailure } from "../failure.js";
import { startProgress } from "../progress.js";
import { runnable, type RunnableOptions } from "../runnable.js";
import type { ScoreKind } from "../../runtime/score-kind.js";
import { explainScores, scoresOption, scoresReport } from "../scores.js";
import { colours, plural, print, printJson, say, sayWarning } from "../terminal.js";
import { DETECTION_METRICS, evalDetections, type JudgeOptions } from "./eval-detections.js";
import { evalDetector, SCENES } from "./eval-detector.js";
import { tellOrigin, WEIGHTS } from "../weights.js";

interface Options extends RunnableOptions, JudgeOptions {
  readonly detections?: string;
  readonly annotations?: string;
  readonly images?: string;
  readonly save?: string;
  readonly data?: string;
  readonly split?: "train" | "validation" | "test";
  readonly crops?: "1" | "10";
  readonly scales?: readonly number[];
  readonly batch?: number;
  readonly device: "auto" | "cpu" | "webgpu" | "cuda";
  readonly threads?: number;
  readonly strict?: boolean;
  readonly scores?: ScoreKind;
}

export function evalCommand(): Command {
  return new Command("eval")
    .description("measure how often a classifier errs, and how precisely a detector finds")
    .argument("[model]", `${MODEL_OR_TARGET}; or a training's folder`)
    .option("--data <data>", `${DATA}; for detectors scenes, or scenes:COUNT`)
    .addOption(
      new Option("--split <name>", "which pictures; default: test, else validation").choices([
        "train",
        "validation",
        "test",
      ]),
    )
    .option("--weights <file>", "weights for a target: .safetensors, .pth, .pt, .pkl, .caffemodel")
    .addOption(WEIGHTS.lenient)
    .addOption(WEIGHTS.newHead)
    .addOption(WEIGHTS.stateDict)
    .addOption(WEIGHTS.adaptInput)
    .addOption(WEIGHTS.epsilon)
    .option("--input <shape>", "input size of a target, as 3x320x320, or 3xHxW for --scales", inputShape)
    .addOption(
      new Option("--crops <n>", "1: the middle; 10: corners, middle and their mirrors, averaged").choices(["1", "10"]),
    )
    .option(
      "--scales <sizes>",
      "whole pictures at these shorter sides, averaged: 224,256,384,480,640",
      wholeNumbers(1, 99_999),
    )
    .option("--batch <n>", "pictures in a run", wholeNumber(1, 65_536))
    .option("--threads <n>", "threads that the processor may use", wholeNumber(1, 1024))
    .addOption(scoresOption())
    .addOption(deviceOption())
    .option("--strict", "a picture that can't be read is an error")
    .option("--annotations <place>", "for detectors: instances.json, or a folder of PASCAL VOC's XML files")
    .option("--images <folder>", "for --annotations: where the pictures are; default: beside them")
    .addOption(new Option("--metric <name>", "for detectors; default: coco").choices(DETECTION_METRICS))
    .option("--set <name>", "of a VOC folder, the list in ImageSets/Main")
    .option("--curves <file>", "for detectors: draw precision over recall (SVG)")
    .option("--save <file>", "for detectors: keep what was found, a JSON list of COCO's kind")
    .option("--detections <file>", "judge such a list, without a model")
    .option("--json", "for programs")
    .addHelpText(
      "after",
      examples(
        ["resnetc eval run --data shapes", "the model that a training wrote"],
        ["resnetc eval ResNet50V15 --weights resnet50.pth --data imagenet --crops 10", "the paper's table 3"],
        ["resnetc eval net.onnx --annotations instances.json --images val2017", "a detector, by COCO's twelve numbers"],
        ["resnetc eval net.onnx --annotations VOC2007 --set test --metric voc07", "by PASCAL VOC's"],
        ["resnetc eval --detections dets.json --annotations instances.json", "what another program found"],
      ),
    )
    .action(run);
}

async function run(target: string | undefined, options: Options): Promise<void> {
  const { detections, annotations, data } = options;
  if (detections !== undefined) {
    if (target !== undefined || data !== undefined) {
      throw new UsageFailure("--detections are judged without a model and without --data");
    }
    if (annotations === undefined) throw new UsageFailure("--detections need --annotations to be judged by");
    return evalDetections({ ...options, detections, annotations });
  }
  if (target === undefined) throw new UsageFailure("eval needs a model, or --detections");
  const place = annotations ?? scenes(data);
  if (place !== undefined) {
    if (annotations !== undefined && data !== undefined) throw new UsageFailure("--annotations go without --data");
    if (options.crops !== undefined || options.scales !== undefined) {
      throw new UsageFailure("--crops and --scales are for classifiers");
    }
    return evalDetector(await modelOf(target), { ...options, annotations: place });
  }
  if (data === undefined) {
    throw new UsageFailure("eval needs --data with labelled pictures, or for a detector --annotations");
  }
  return classification(target, { ...options, data });
}

/** `scenes:500` */
function scenes(data: string | undefined): { readonly scenes: number } | undefined {
  const match = /^scenes(?::(\d{1,6}))?$/.exec(data ?? "");
  return match ? { scenes: match[1] === undefined ? SCENES : Number(match[1]) } : undefined;
}

async function classification(target: string, options: Options & { readonly data: string }): Promise<void> {
  const { model, ...how } = await trainedAt(target, options);
  const data = await loadDataFor(target, options.data);
  for (const warning of data.warnings) sayWarning(warning);
  const { evaluationSplit } = await import("../../runtime/data/index.js");
  const split = evaluationSplit(data, options.split);
  const weights = await tellOrigin(model);
  const { evaluateModel } = await import("../../runtime/evaluate.js");
  const progress = await startProgress({ label: "evaluating", total: split.size, unit: "pictures" });
  try {
    const result = await evaluateModel(model, data, split, {
      device: options.device,
      crops: options.crops === "10" ? 10 : 1,
      ...how,
      ...(options.batch !== undefined && { batch: options.batch }),
      ...(options.threads !== undefined && { threads: options.threads }),
      ...(options.strict && { strict: true }),
      ...(options.scores !== undefined && { scores: options.scores }),
      onUnreadable: sayWarning,
      onProgress: (done) => progress.update(done),
    });
    progress.stop();
    if (options.json)
      printJson({
        schema: 1,
        model: target,
        data: data.name,
        split: split.name,
        weights,
        ...result,
        scores: scoresReport(result.scores),
      });
    else {
      say(colours.error.dim(`on ${result.device}: ${result.deviceReason}`));
      const explained = explainScores(result.scores);
      if (explained !== undefined) say(colours.error.dim(explained));
      const error = (share: number): string => `${(100 * share).toFixed(2)} %`;
      print(`${data.name}, ${plural(result.pictures, "picture")} of ${split.name}`);
      print(`top-1 error ${error(result.error)}, top-5 ${error(result.error5)}`);
    }
  } finally {
    progress.stop();
  }
}

interface Tested {
  readonly model: string | Uint8Array;
  readonly scales?: readonly number[];
  readonly preprocess?: Preprocess;
}

/**
 * A model, and the scales at which it is tested: those that are asked for, else those of a training's recipe. The model
 * that a training wrote has one size: for scales its network is compiled again, for any.
 */
async function trainedAt(target: string, options: Options): Promise<Tested> {
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
  const { readModelMetadata } = await import("../../runtime/model-metadata.js");
  const { preprocess } = readModelMetadata(run.model, run.model);
  const model = await runnable(targetOf(config, target), { ...options, weights: run.weights, anySize: true });
  return { model, scales, ...(preprocess && { preprocess }) };
}

/** Of a training's folder, the model that it wrote. */
async function modelOf(target: string): Promise<string> {
  const { isRunFolder, runFolder } = await import("../../runtime/training/run-folder.js");
  return isRunFolder(target) ? runFolder(target).model : target;
}
