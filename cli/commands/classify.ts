/** `resnetc classify MODEL IMAGES...`: what is in the pictures. */
import { Command, Option } from "commander";
import type { Classified, Classifier } from "../../runtime/classify.js";
import { examples, inputShape, MODEL_OR_TARGET, wholeNumber, wholeNumbers } from "../arguments.js";
import { EXIT, Stop } from "../failure.js";
import { readLabels } from "../labels.js";
import { namedPreprocess } from "../named-preprocess.js";
import { startProgress } from "../progress.js";
import { runnable, type RunnableOptions } from "../runnable.js";
import { colours, plural, print, printJson, say, sayError, sayWarning } from "../terminal.js";
import { deviceOption } from "../device-option.js";

interface Options extends RunnableOptions {
  readonly labels?: string;
  readonly preprocess?: string;
  readonly crops: "1" | "10";
  readonly scales?: readonly number[];
  readonly top: number;
  readonly device: "auto" | "cpu" | "webgpu" | "cuda";
  readonly json?: boolean;
}

export function classifyCommand(): Command {
  return new Command("classify")
    .description("say what is in pictures: the likeliest classes of each")
    .argument("<model>", MODEL_OR_TARGET)
    .argument("<images...>", "JPEG, PNG, WebP, ... files")
    .option("--weights <file>", "weights for a target: .safetensors, .pth, .pt, .caffemodel")
    .option("--lenient", "accept weights that do not fit in every tensor")
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
      "whole pictures at these shorter sides, averaged: 224,256,384,480,640",
      wholeNumbers(1, 99_999),
    )
    .option("--top <n>", "how many classes to show for each picture", wholeNumber(1), 5)
    .addOption(deviceOption())
    .option("--json", "for programs")
    .addHelpText(
      "after",
      examples(
        ["resnetc classify net.onnx photo.jpg", "a compiled model carries its preprocessing and labels"],
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

async function run(target: string, images: string[], options: Options): Promise<void> {
  const labels = options.labels === undefined ? undefined : await readLabels(options.labels);
  const preprocess = options.preprocess === undefined ? undefined : await namedPreprocess(options.preprocess);
  const model = await runnable(target, { ...options, anySize: options.scales !== undefined });
  const { openClassifier } = await import("../../runtime/classify.js");
  const classifier = await openClassifier(model, {
    device: options.device,
    ...(labels === undefined ? {} : { labels }),
    ...(preprocess === undefined ? {} : { preprocess }),
  });
  try {
    const results = await classifyWithProgress(classifier, images, options);
    report(classifier, results, options.json === true);
    if (results.some((result) => "error" in result)) throw new Stop(EXIT.input);
  } finally {
    await classifier.close();
  }
}

async function classifyWithProgress(classifier: Classifier, images: string[], options: Options): Promise<Classified[]> {
  const progress = await startProgress({ label: "classifying", total: images.length, unit: "pictures" });
  try {
    return await classifier.classify(images, {
      crops: options.crops === "10" ? 10 : 1,
      top: options.top,
      ...(options.scales === undefined ? {} : { scales: options.scales }),
      onProgress: (done) => progress.update(done),
    });
  } finally {
    progress.stop();
  }
}

function report(classifier: Classifier, results: readonly Classified[], json: boolean): void {
  const { session, preprocess, network } = classifier;
  if (json) {
    printJson({ schema: 1, network, device: session.device, preprocess, results });
    return;
  }
  say(colours.error.dim(`on ${session.device}: ${session.deviceReason}`));
  for (const result of results) {
    if ("error" in result) {
      sayError(result.error);
      continue;
    }
    print(colours.out.bold(result.image));
    for (const { label, probability } of result.predictions) {
      print(`  ${(100 * probability).toFixed(1).padStart(5)} %  ${label}`);
    }
  }
  const unread = results.filter((result) => "error" in result).length;
  if (unread > 0 && results.length > 1)
    sayWarning(`${plural(unread, "picture")} of ${results.length} could not be read`);
}
