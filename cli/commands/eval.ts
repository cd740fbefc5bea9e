/** `resnetc eval MODEL`: errors of classifiers by class, average precision of detectors. */
import { stat } from "node:fs/promises";
import path from "node:path";
import { Command, Option } from "commander";
import { examples, inputShape, MODEL_OR_TARGET, wholeNumber, wholeNumbers } from "../arguments.js";
import { DATA } from "../data.js";
import { deviceOption } from "../device-option.js";
import { UsageFailure } from "../failure.js";
import { scoresOption } from "../scores.js";
import { optionOf, WEIGHTS, WEIGHTS_CHOICES } from "../weights.js";
import { evalClassifier, type EvalClassifierOptions } from "./eval-classifier.js";
import { DETECTION_METRICS, evalDetections } from "./eval-detections.js";
import { evalDetector, SCENES, type EvalDetectorOptions } from "./eval-detector.js";

interface Options extends Omit<EvalClassifierOptions, "data">, Omit<EvalDetectorOptions, "annotations"> {
  readonly data?: string;
  readonly annotations?: string;
  readonly detections?: string;
}

export function evalCommand(): Command {
  return new Command("eval")
    .description("measure how often a classifier errs, and how precisely a detector finds")
    .argument("[model]", `${MODEL_OR_TARGET}; or a training's folder`)
    .option("--data <data>", `${DATA}; for detectors scenes, or scenes:COUNT`)
    .addOption(
      new Option("--split <name>", "which images; default: test, else validation").choices([
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
    .option("--annotations <place>", "for detectors: instances.json, or a folder of PASCAL VOC's XML files")
    .option("--images <folder>", "for --annotations: where the images are; default: beside them")
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
        ["resnetc eval net.onnx --data pets --confusion c.svg --predictions p.csv", "what it took for what"],
        ["resnetc eval ResNet50V15 --weights resnet50.pth --data imagenet --crops 10", "the paper's table 3"],
        ["resnetc eval net.onnx --annotations instances.json --images val2017", "a detector, by COCO's twelve numbers"],
        ["resnetc eval net.onnx --annotations VOC2007 --set test --metric voc07", "by PASCAL VOC's"],
        ["resnetc eval --detections dets.json --annotations instances.json", "what another program found"],
      ),
    )
    .action(run);
}

/** What each way of judging has no use for. */
const CLASSIFIERS_ONLY = ["split", "crops", "scales", "scores", "confusion", "predictions", "top"] as const;
const DETECTORS_ONLY = ["images", "metric", "set", "curves", "save"] as const;
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
  const { detections, annotations, data } = options;
  if (detections !== undefined) {
    if (target !== undefined || data !== undefined) {
      throw new UsageFailure("--detections are judged without a model and without --data");
    }
    if (annotations === undefined) throw new UsageFailure("--detections need --annotations to be judged by");
    refuse(options, CLASSIFIERS_ONLY, "is for classifiers");
    refuse(options, MODELS_ONLY, "is for a model, and --detections are judged without one");
    return evalDetections({ ...options, detections, annotations });
  }
  if (target === undefined) throw new UsageFailure("eval needs a model, or --detections");
  const place = annotations ?? scenes(data);
  if (place !== undefined) {
    if (annotations !== undefined && data !== undefined) throw new UsageFailure("--annotations go without --data");
    if (options.crops !== undefined || options.scales !== undefined) {
      throw new UsageFailure("--crops and --scales are for classifiers");
    }
    refuse(options, CLASSIFIERS_ONLY, "is for classifiers");
    return evalDetector(await modelOf(target), { ...options, annotations: place });
  }
  if (data === undefined) {
    throw new UsageFailure("eval needs --data with labelled images, or for a detector --annotations");
  }
  refuse(options, DETECTORS_ONLY, "is for detectors, and goes with --annotations");
  if (options.top !== undefined && options.predictions === undefined) {
    throw new UsageFailure("--top is of the classes in --predictions");
  }
  if (await areAnnotations(data)) {
    throw new UsageFailure(`--data ${data}: these are annotations for a detector: give them as --annotations`);
  }
  return evalClassifier(target, { ...options, data });
}

/** A JSON file, or a folder of PASCAL VOC's kind. */
async function areAnnotations(data: string): Promise<boolean> {
  const found = await stat(data).catch(() => undefined);
  if (found?.isFile()) return /\.json(\.gz)?$/i.test(data);
  return (await stat(path.join(data, "Annotations")).catch(() => undefined))?.isDirectory() ?? false;
}

/** `scenes:500` */
function scenes(data: string | undefined): { readonly scenes: number } | undefined {
  const match = /^scenes(?::(\d{1,6}))?$/.exec(data ?? "");
  return match ? { scenes: match[1] === undefined ? SCENES : Number(match[1]) } : undefined;
}

/** Of a training's folder, the model that it wrote. */
async function modelOf(target: string): Promise<string> {
  const { isRunFolder, runFolder } = await import("../../runtime/training/run-folder.js");
  return isRunFolder(target) ? runFolder(target).model : target;
}
