/** `resnetc eval MODEL`: errors of classifiers by class, average precision of labels and of detectors. */
import path from "node:path";
import { Command, Option } from "commander";
import { isAnnotated, isMultiLabel, type DataSet, type Split } from "../../runtime/data/data-set.js";
import { examples, inputShape, MODEL_OR_TARGET, share, wholeNumber, wholeNumbers } from "../arguments.js";
import { ANNOTATED_DATA, DATA, LABELS_DATA, loadDataFor } from "../data.js";
import { deviceOption } from "../device-option.js";
import { evalClassifier, evalLabels, type EvalLabelsOptions } from "../eval/classifier.js";
import { DETECTION_METRICS, evalDetections } from "../eval/detection-report.js";
import { evalDetector, type EvalDetectorOptions } from "../eval/detector.js";
import { UsageFailure } from "../failure.js";
import { groupOf } from "../../runtime/parallel/agree.js";
import { ownCores } from "../../runtime/parallel/cores.js";
import { asRank, joinRanks, rankTimeoutOption, type RankOptions } from "../ranks.js";
import { scoresOption } from "../scores.js";
import { loadModel } from "../target.js";
import { logWarning } from "../terminal.js";
import { optionOf, WEIGHTS, WEIGHTS_CHOICES } from "../weights.js";

interface Options extends EvalLabelsOptions, EvalDetectorOptions, RankOptions {
  readonly data?: string;
  readonly split?: "train" | "validation" | "test";
  readonly images?: string;
  readonly set?: string;
  /** A JSON list of COCO's kind. */
  readonly detections?: string;
  /** As --data was once given for detectors. */
  readonly annotations?: string;
}

export function evalCommand(): Command {
  return new Command("eval")
    .description("measure how often a classifier errs, how well it tells labels, and how precisely a detector finds")
    .argument("[model]", `${MODEL_OR_TARGET}; or a training's folder`)
    .option("--data <data>", `${DATA}; for detectors ${ANNOTATED_DATA}; ${LABELS_DATA}`)
    .addOption(
      new Option("--split <name>", "which images; default: test, else all or validation").choices([
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
      "whole images at these shorter sides, averaged: 224,256,384,480,640",
      wholeNumbers(1, 99_999),
    )
    .addOption(
      new Option(
        "--classes-by <how>",
        "match classes by name or by position; default: by name, where both have names",
      ).choices(["name", "position"]),
    )
    .option("--confusion <file>", "for classifiers: draw what was taken for what (SVG)")
    .option("--predictions <file>", "for classifiers: write what was said of each image (.csv, .jsonl)")
    .option("--top <n>", "classes of each image in --predictions; default: 5", wholeNumber(1, 100_000))
    .option("--batch <n>", "images in a run", wholeNumber(1, 65_536))
    .option("--threads <n>", "threads that the processor may use", wholeNumber(1, 1024))
    .addOption(scoresOption())
    .addOption(deviceOption())
    .option("--strict", "an image that can't be read is an error")
    .addOption(new Option("--annotations <place>", "was the name of --data for boxes").hideHelp())
    .option("--threshold <share>", "of several labels an image: those above it are told; default: 0.5", share)
    .option(
      "--images <folder>",
      "of coco:, voc: and labels: data, where the images are; default: beside the annotations",
    )
    .addOption(new Option("--metric <name>", "for detectors; default: coco").choices(DETECTION_METRICS))
    .option("--set <name>", "of a voc: folder, a list in ImageSets/Main")
    .option("--curves <file>", "for detectors: draw precision over recall (SVG)")
    .option("--save <file>", "for detectors: keep what was found, a JSON list of COCO's kind")
    .option("--detections <file>", "judge a list that --save or another program wrote, without a model")
    .addOption(rankTimeoutOption())
    .option("--json", "for programs")
    .addHelpText(
      "after",
      examples(
        ["resnetc eval run --data shapes", "the model that a training wrote"],
        ["resnetc eval net.onnx --data pets --confusion c.svg --predictions p.csv", "what it took for what"],
        ["resnetc eval ResNet50V15 --weights resnet50.pth --data imagenet --crops 10", "the paper's table 3"],
        ["resnetc eval tagger.onnx --data labels.csv", "several labels an image: mAP and F1, label by label"],
        ["resnetc eval net.onnx --data coco:instances.json --images val2017", "a detector, by COCO's twelve numbers"],
        ["resnetc eval net.onnx --data voc:VOC2007 --split test --metric voc07", "by PASCAL VOC's"],
        ["resnetc eval --detections dets.json --data coco:instances.json", "what another program found"],
      ),
    )
    .action(run);
}

const CLASSIFIERS_ONLY = ["crops", "scales", "scores", "confusion", "predictions", "top", "threshold"] as const;
const DETECTORS_ONLY = ["metric", "curves", "save"] as const;
/** What judging a list that is there has no use for. */
const MODELS_ONLY = [
  "weights",
  ...WEIGHTS_CHOICES,
  "input",
  "batch",
  "threads",
  "strict",
  "images",
  "save",
  "classesBy",
] as const;

function refuse(options: Options, names: readonly (keyof Options)[], why: string): void {
  const given = names.find((name) => options[name] !== undefined);
  if (given !== undefined) throw new UsageFailure(`${optionOf(given)} ${why}`);
}

async function run(target: string | undefined, options: Options): Promise<void> {
  const ranks = await joinRanks(options);
  const { cores: threads, problem } = await ownCores(ranks);
  if (problem !== undefined) logWarning(problem);
  const shared = ranks.size > 1 && { threads, group: groupOf(ranks) };
  await asRank(ranks, () => evaluate(target, { ...shared, ...options }));
}

async function evaluate(target: string | undefined, options: Options): Promise<void> {
  const { detections, data: place } = options;
  if (options.annotations !== undefined) {
    throw new UsageFailure("--annotations is --data now: --data coco:instances.json, --data voc:FOLDER");
  }
  if (detections === undefined && target === undefined) throw new UsageFailure("eval needs a model, or --detections");
  if (detections !== undefined && target !== undefined) {
    throw new UsageFailure("--detections are judged without a model");
  }
  if (place === undefined) throw new UsageFailure("eval needs --data, whose classes or boxes are known");
  if (options.top !== undefined && options.predictions === undefined) {
    throw new UsageFailure("--top is of the classes in --predictions");
  }
  if (detections !== undefined) {
    refuse(options, MODELS_ONLY, "is for a model, and --detections are judged without one");
    refuse(options, CLASSIFIERS_ONLY, "is for classifiers");
  }
  const { data, split } = await openEvaluated(target, place, options);
  const several =
    isMultiLabel(split) || (isAnnotated(split) && target !== undefined && (await tellsLabels(target, options)));
  if (several && target !== undefined) {
    refuse(options, DETECTORS_ONLY, `is for detectors, and ${target} tells labels`);
    refuse(options, ["confusion"], "is for images with one class each");
    return evalLabels(target, { data, split }, options);
  }
  if (isAnnotated(split)) {
    refuse(options, CLASSIFIERS_ONLY, `is for classifiers, and ${data.name} has objects with boxes`);
    const evaluated = { name: data.name, split, warnings: data.warnings };
    if (target === undefined) return evalDetections(detections!, evaluated, options);
    return evalDetector(target, await modelOf(target), evaluated, options);
  }
  if (target === undefined)
    throw new UsageFailure(`--detections need --data with boxes to be judged by; ${data.name} has none`);
  refuse(options, DETECTORS_ONLY, `is for detectors, and ${data.name} has classes, not boxes`);
  refuse(options, ["threshold"], `is for images with any number of labels, and those of ${data.name} have one class`);
  return evalClassifier(target, { data, split }, options);
}

/** What is looked at; a list of detections is judged by annotations alone. */
async function openEvaluated(
  target: string | undefined,
  place: string,
  { images, set, detections, split, metric = "coco" }: Options,
): Promise<{ readonly data: DataSet; readonly split: Split }> {
  const { evaluationSplit } = await import("../../runtime/data/index.js");
  const data = await loadDataFor(target, place, {
    ...(detections !== undefined ? { images: false } : images !== undefined && { images }),
    ...(set !== undefined && { set }),
    masks: metric === "coco",
  });
  for (const warning of data.warnings) logWarning(warning);
  return { data, split: evaluationSplit(data, split) };
}

/** Whether a model is asked for the labels of images, and not for the objects in them. */
async function tellsLabels(target: string, { input }: Options): Promise<boolean> {
  const model = await modelOf(target);
  if (model.endsWith(".onnx")) {
    const { readModelInfo } = await import("../../runtime/onnx/model-info.js");
    const { givesLabels } = await import("../../runtime/classification/score-kind.js");
    return givesLabels(readModelInfo(model), path.basename(model));
  }
  const { hasIndependentScores } = await import("../../compiler/independent-scores.js");
  return hasIndependentScores(await loadModel(model, { input, quiet: true }));
}

/** Of a training's folder, the model that it wrote. */
async function modelOf(target: string): Promise<string> {
  const { isRunFolder, runFolder } = await import("../../runtime/training/run-folder.js");
  return isRunFolder(target) ? runFolder(target).model : target;
}
