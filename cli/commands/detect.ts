/** `resnetc detect MODEL IMAGES...`: objects in images, with their boxes. */
import type { DeviceRequest } from "../../compiler/device.js";
import { Command } from "commander";
import type { WeightsOrigin } from "../../compiler/metadata.js";
import type { Detected, Detector } from "../../runtime/detection/detector.js";
import { nameOf, type NamedSource } from "../../runtime/images/source.js";
import { examples, MODEL_OR_TARGET, share, wholeNumber } from "../arguments.js";
import { openDetectionOutput, refuseToOverwrite, type DetectionOutput } from "../detection-output.js";
import { deviceOption } from "../device-option.js";
import { EXIT, Stop, UsageFailure } from "../failure.js";
import { imagesOf } from "../images.js";
import { readLabels } from "../labels.js";
import { namedPreprocess } from "../named-preprocess.js";
import { startProgress } from "../progress.js";
import { runnable, type RunnableOptions } from "../runnable.js";
import { renderTable } from "../table.js";
import { printReport, writtenFiles } from "../report.js";
import { colours, plural, print, log, logError, logWarning } from "../terminal.js";
import { readOrigin, WEIGHTS } from "../weights.js";

interface Options extends Omit<RunnableOptions, "input" | "precision" | "anySize" | "device"> {
  readonly output?: string;
  readonly labels?: string;
  readonly preprocess?: string;
  readonly categories?: string;
  readonly score: number;
  readonly batch: number;
  readonly device: DeviceRequest;
  readonly json?: boolean;
}

export function detectCommand(): Command {
  return new Command("detect")
    .description("find objects in images: boxes, labels and scores, listed or drawn")
    .argument("<model>", MODEL_OR_TARGET)
    .argument("<images...>", "JPEG, PNG, WebP, ... files, folders of them, or - for one from standard input")
    .option("-o, --output <folder>", "draw what is found, and write detections.json (COCO's format)")
    .option("--weights <file>", "weights for a target: .safetensors, .pth, .pt, .pkl, .caffemodel")
    .addOption(WEIGHTS.lenient)
    .addOption(WEIGHTS.newHead)
    .addOption(WEIGHTS.stateDict)
    .addOption(WEIGHTS.adaptInput)
    .addOption(WEIGHTS.epsilon)
    .option("--labels <file>", "names of the classes, one a line, in place of the model's")
    .option("--preprocess <name>", "in place of the model's (std/preprocess has them)")
    .option("--score <share>", "leave out objects with a lower score, 0 to 1", share, 0.5)
    .option("--batch <n>", "images in a run, padded to the largest", wholeNumber(1, 256), 1)
    .option("--categories <file>", "instances.json whose ids of categories and images detections.json gets")
    .addOption(deviceOption())
    .option("--json", "for programs")
    .addHelpText(
      "after",
      examples(
        ["resnetc detect net.onnx photo.jpg", "lists what is in it"],
        ["resnetc detect net.onnx photos/ -o out", "draws it, and writes out/detections.json"],
        ["resnetc detect FasterRCNN_ResNet50_FPN a.jpg --weights fasterrcnn.pth -o out", "compiles first"],
        ["curl -s https://example.com/a.jpg | resnetc detect net.onnx - --json", "for programs"],
      ),
    )
    .action(run);
}

async function run(target: string, places: string[], options: Options): Promise<void> {
  if (options.categories !== undefined && options.output === undefined) {
    throw new UsageFailure("--categories are for detections.json, which -o writes");
  }
  const labels = options.labels === undefined ? undefined : await readLabels(options.labels);
  const preprocess = options.preprocess === undefined ? undefined : await namedPreprocess(options.preprocess);
  const images = await imagesOf(places);
  const names = images.map(nameOf);
  if (options.output !== undefined) await refuseToOverwrite(names, options.output);
  const model = await runnable(target, options);
  const weights = await readOrigin(model);
  const { openDetector } = await import("../../runtime/detection/detector.js");
  const detector = await openDetector(model, {
    device: options.device,
    ...(labels === undefined ? {} : { labels }),
    ...(preprocess === undefined ? {} : { preprocess }),
  });
  detector.assumed.forEach(logWarning);
  try {
    const output =
      options.output === undefined
        ? undefined
        : await openDetectionOutput(options.output, names, detector, options.categories);
    const start = performance.now();
    const results = await detectWithProgress(detector, images, options, output);
    const seconds = (performance.now() - start) / 1000;
    await output?.finish(results);
    await report({ detector, weights, results, seconds, output, json: options.json === true });
    if (output?.hasFailed() || results.some((result) => "error" in result)) throw new Stop(EXIT.input);
  } finally {
    await detector.close();
  }
}

async function detectWithProgress(
  detector: Detector,
  images: readonly NamedSource[],
  { score, batch }: Options,
  output: DetectionOutput | undefined,
): Promise<Detected[]> {
  const progress = await startProgress({ label: "detecting", total: images.length, unit: "images" });
  try {
    return await detector.detect(images, {
      score,
      batch,
      onProgress: (done) => progress.update(done),
      ...(output && { onImage: output.draw }),
    });
  } finally {
    progress.stop();
  }
}

interface Report {
  readonly detector: Detector;
  readonly weights: WeightsOrigin | null;
  readonly results: readonly Detected[];
  readonly seconds: number;
  readonly output: DetectionOutput | undefined;
  readonly json: boolean;
}

async function report({ detector, weights, results, seconds, output, json }: Report): Promise<void> {
  const { session, preprocess, network } = detector;
  const drawn = output?.drawn ?? new Map<number, string>();
  if (json) {
    const listed = results.map((result, i) => ({ ...result, ...(drawn.has(i) && { drawn: drawn.get(i) }) }));
    const files = await writtenFiles(output ? [...drawn.values(), output.list] : []);
    printReport({ network, device: session.device, preprocess, weights, seconds, results: listed, files });
    return;
  }
  log(colours.error.dim(`on ${session.device}: ${session.deviceReason}`));
  for (const result of results) {
    if ("error" in result) logError(result.error);
    else if (output === undefined) list(result);
  }
  const read = results.filter((result) => !("error" in result));
  const objects = read.reduce((sum, result) => sum + ("error" in result ? 0 : result.objects.length), 0);
  if (output !== undefined) print(`${plural(objects, "object")} in ${plural(read.length, "image")}: ${output.folder}`);
  const rate = results.length / seconds;
  const pace = rate >= 1 ? `${rate.toFixed(1)} images/s` : `${(1 / rate).toFixed(1)} s an image`;
  log(colours.error.dim(`${plural(results.length, "image")} in ${seconds.toFixed(1)} s, ${pace}`));
  if (read.length < results.length && results.length > 1) {
    logWarning(`${plural(results.length - read.length, "image")} of ${results.length} could not be looked at`);
  }
}

function list({ image, objects }: Exclude<Detected, { error: string }>): void {
  print(colours.out.bold(image));
  if (objects.length === 0) print("  nothing");
  const cells = objects.map(({ label, score, box }) => {
    const [x, y, width, height] = box.map((value) => String(Math.round(value) || 0));
    return [`  ${(100 * score).toFixed(1)} %`, label, `${width} x ${height} at ${x}, ${y}`];
  });
  if (cells.length > 0) print(renderTable(cells, ["right", "left", "left"]));
}
