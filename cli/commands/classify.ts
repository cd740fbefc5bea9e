/** `resnetc classify MODEL IMAGES...`: what is in the images. */
import type { DeviceRequest } from "../../compiler/device.js";
import { Command, Option } from "commander";
import type { WeightsOrigin } from "../../compiler/metadata.js";
import type { Classified, Classifier } from "../../runtime/classification/classifier.js";
import { THRESHOLD } from "../../runtime/classification/label-tally.js";
import { examples, inputShape, MODEL_OR_TARGET, share, wholeNumber, wholeNumbers } from "../arguments.js";
import { EXIT, Stop, UsageFailure } from "../failure.js";
import { imagesOf } from "../images.js";
import { readLabels } from "../labels.js";
import { namedPreprocess } from "../named-preprocess.js";
import { startProgress } from "../progress.js";
import { runnable, type RunnableOptions } from "../runnable.js";
import { printReport } from "../report.js";
import { colours, plural, print, log, logError, logWarning } from "../terminal.js";
import { deviceOption } from "../device-option.js";
import { explainScores, scoresOption, scoresReport } from "../scores.js";
import type { NamedSource } from "../../runtime/images/source.js";
import type { ScoreKind } from "../../runtime/classification/score-kind.js";
import { readOrigin, WEIGHTS } from "../weights.js";

interface Options extends RunnableOptions {
  readonly labels?: string;
  readonly preprocess?: string;
  readonly crops: "1" | "10";
  readonly scales?: readonly number[];
  readonly top?: number;
  readonly threshold?: number;
  readonly batch?: number;
  readonly threads?: number;
  readonly scores?: ScoreKind;
  readonly device: DeviceRequest;
  readonly json?: boolean;
}

export function classifyCommand(): Command {
  return new Command("classify")
    .description("say what is in images: the likeliest classes of each")
    .argument("<model>", MODEL_OR_TARGET)
    .argument("<images...>", "JPEG, PNG, WebP, ... files, folders of them, or - for one from standard input")
    .option("--weights <file>", "weights for a target: .safetensors, .pth, .pt, .pkl, .caffemodel")
    .addOption(WEIGHTS.lenient)
    .addOption(WEIGHTS.newHead)
    .addOption(WEIGHTS.stateDict)
    .addOption(WEIGHTS.adaptInput)
    .addOption(WEIGHTS.epsilon)
    .option("--input <shape>", "input size of a target, as 3x320x320", inputShape)
    .option("--labels <file>", "names of the classes, one a line, in place of the model's")
    .option("--preprocess <name>", "torchvision, paper, ...: in place of the model's (std/preprocess has them)")
    .addOption(
      new Option("--crops <n>", "1: the middle; 10: corners, middle and their mirrors, averaged")
        .choices(["1", "10"])
        .default("1"),
    )
    .option(
      "--scales <sizes>",
      "whole images at these shorter sides, averaged: 224,256,384,480,640",
      wholeNumbers(1, 99_999),
    )
    .option(
      "--top <n>",
      "how many classes to show for each image; default: 5, or all above --threshold",
      wholeNumber(1),
    )
    .option("--threshold <share>", "of independent classes (sigmoid), those above it are shown; default: 0.5", share)
    .option("--batch <n>", "images in a run; default: 8", wholeNumber(1, 65_536))
    .option("--threads <n>", "threads that the processor may use", wholeNumber(1, 1024))
    .addOption(scoresOption())
    .addOption(deviceOption())
    .option("--json", "for programs")
    .addHelpText(
      "after",
      examples(
        ["resnetc classify net.onnx photo.jpg", "a compiled model carries its preprocessing and labels"],
        ["resnetc classify net.onnx photos/ --top 1", "all images of a folder"],
        [
          "resnetc classify tagger.onnx photo.jpg --threshold 0.3",
          "several labels an image: those that are likely enough",
        ],
        ["curl -s https://example.com/a.jpg | resnetc classify net.onnx -", "from standard input"],
        ["resnetc classify ResNet50V15 photo.jpg --weights resnet50.pth", "compiles first"],
        ["resnetc classify net.onnx *.jpg --crops 10 --json", "the paper's 10-crop testing"],
        [
          "resnetc classify ResNet50V15 photo.jpg --weights resnet50.pth --input 3xHxW --scales 224,256,384",
          "fully convolutional",
        ],
      ),
    )
    .action(run);
}

async function run(target: string, places: string[], options: Options): Promise<void> {
  const labels = options.labels === undefined ? undefined : await readLabels(options.labels);
  const preprocess = options.preprocess === undefined ? undefined : await namedPreprocess(options.preprocess);
  const images = await imagesOf(places);
  const model = await runnable(target, { ...options, anySize: options.scales !== undefined });
  const weights = await readOrigin(model);
  const { openClassifier } = await import("../../runtime/classification/classifier.js");
  const classifier = await openClassifier(model, {
    device: options.device,
    ...(labels === undefined ? {} : { labels }),
    ...(preprocess === undefined ? {} : { preprocess }),
    ...(options.threads === undefined ? {} : { threads: options.threads }),
    ...(options.scores === undefined ? {} : { scores: options.scores }),
  });
  classifier.assumed.forEach(logWarning);
  try {
    const threshold = thresholdOf(classifier, options);
    const results = await classifyWithProgress(classifier, images, options);
    report(classifier, results, threshold, weights, options.json === true);
    if (results.some((result) => "error" in result)) throw new Stop(EXIT.input);
  } finally {
    await classifier.close();
  }
}

/** Above which probability a class is shown; undefined where one of all classes is right. */
function thresholdOf({ scores, session }: Classifier, { threshold }: Options): number | undefined {
  if (scores.kind === "independent" && !scores.ofTwo) return threshold ?? THRESHOLD;
  if (threshold === undefined) return undefined;
  throw new UsageFailure(`--threshold is for independent classes (sigmoid); ${session.name} takes one for right`);
}

async function classifyWithProgress(
  classifier: Classifier,
  images: readonly NamedSource[],
  options: Options,
): Promise<Classified[]> {
  const progress = await startProgress({ label: "classifying", total: images.length, unit: "images" });
  try {
    return await classifier.classify(images, {
      crops: options.crops === "10" ? 10 : 1,
      ...(options.top === undefined ? {} : { top: options.top }),
      ...(options.threshold === undefined ? {} : { threshold: options.threshold }),
      ...(options.scales === undefined ? {} : { scales: options.scales }),
      ...(options.batch === undefined ? {} : { batch: options.batch }),
      onProgress: (done) => progress.update(done),
    });
  } finally {
    progress.stop();
  }
}

function report(
  classifier: Classifier,
  results: readonly Classified[],
  threshold: number | undefined,
  weights: WeightsOrigin | null,
  json: boolean,
): void {
  const { session, preprocess, network, scores } = classifier;
  if (json) {
    const device = session.device;
    printReport({ network, device, preprocess, scores: scoresReport(scores), threshold, weights, results });
    return;
  }
  log(colours.error.dim(`on ${session.device}: ${session.deviceReason}`));
  const explained = explainScores(scores);
  if (explained !== undefined) log(colours.error.dim(explained));
  const shown = (probability: number): string =>
    scores.kind === "independent" ? probability.toFixed(3) : `${(100 * probability).toFixed(1).padStart(5)} %`;
  for (const result of results) {
    if ("error" in result) {
      logError(result.error);
      continue;
    }
    print(colours.out.bold(result.image));
    if (result.predictions.length === 0) print(`  nothing above ${threshold}`);
    for (const { label, probability } of result.predictions) {
      print(`  ${shown(probability)}  ${label}`);
    }
  }
  const unread = results.filter((result) => "error" in result).length;
  if (unread > 0 && results.length > 1) logWarning(`${plural(unread, "image")} of ${results.length} could not be read`);
}
