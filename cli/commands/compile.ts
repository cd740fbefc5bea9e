/** `resnetc compile TARGET`: from source to an `.onnx` file. */
import type { Device } from "../../compiler/device.js";
import { Command, Option } from "commander";
import { batchSize, examples, inputShape, precision, TARGET, wholeNumber, type InputShape } from "../arguments.js";
import { CALIBRATION, calibrated, checkChoice, type CalibrationChoice } from "../calibration.js";
import { UsageFailure } from "../failure.js";
import { readLabels, requireLabels } from "../labels.js";
import { nameOfOutput, outputFile, outputFolder, STANDARD_OUTPUT } from "../output.js";
import { phaseOption } from "../recipe-options.js";
import { namedPreprocess } from "../named-preprocess.js";
import { loadModel } from "../target.js";
import { printReport } from "../report.js";
import { byteSize, log, logWarning } from "../terminal.js";
import { loadWeights, WEIGHTS, type WeightsChoice } from "../weights.js";

interface Options extends WeightsChoice, CalibrationChoice {
  readonly output?: string;
  /** A file, or false for --no-weights. */
  readonly weights: string | boolean;
  readonly preprocess?: string;
  readonly seed?: number;
  readonly batch?: number | "dynamic";
  readonly input?: InputShape;
  readonly inputPixels?: boolean;
  readonly opset?: number;
  readonly device?: "any" | Device;
  readonly fold: boolean;
  readonly labels?: string;
  readonly externalData?: boolean;
  readonly training?: boolean;
  readonly recipe?: string;
  readonly phase?: string;
  readonly json?: boolean;
}

export function compileCommand(): Command {
  const command = new Command("compile")
    .description("compile a network to ONNX")
    .argument("<target>", TARGET)
    .option("-o, --output <file>", "where to write it; default: the network's name and .onnx")
    .option("--weights <file>", "trained weights: .safetensors, .pth, .pt, .pkl, .caffemodel; default: random ones")
    .option(
      "--preprocess <name>",
      "torchvision, paper, ...: in place of the weights' or the network's own (std/preprocess)",
    )
    .option("--no-weights", "structure only: the parameters become inputs of the model")
    .addOption(WEIGHTS.lenient)
    .addOption(WEIGHTS.newHead)
    .addOption(WEIGHTS.stateDict)
    .addOption(WEIGHTS.adaptInput)
    .addOption(WEIGHTS.epsilon)
    .option("--seed <n>", "the seed of random weights", wholeNumber(0))
    .option(
      "--precision <type>",
      "fp32, fp16 or int8, of weights and activations; inputs and outputs stay fp32",
      precision,
    )
    .option("--batch <n>", "a fixed batch size, or dynamic (the default)", batchSize)
    .option("--input <shape>", "another input size, as 3x320x320, or 3xHxW to leave it open", inputShape)
    .option("--input-pixels", "take images as they are decoded, uint8 [N, H, W, 3]: the preprocessing is in the graph")
    .option("--opset <n>", "version of the ONNX operators, 13 to 21 (default: 17)", wholeNumber(13, 21))
    .addOption(
      new Option(
        "--device <device>",
        "write operators as they are fastest on this device; default: as all devices run them",
      ).choices(["any", "cpu", "webgpu", "cuda"]),
    )
    .option("--no-fold", "keep batch norms apart from the convolutions before them")
    .option("--labels <file>", "names of the classes, one a line, to be carried by the model")
    .option("--external-data", "weights in a file beside the model, as for models above 2 GB")
    .option("--training", "the training step instead, as graphs in the folder -o (docs/training-graphs.md)")
    .option("--recipe <name>", "with --training: optimiser, batch and the rest (default: cifar10, the paper's SGD)")
    .addOption(phaseOption())
    .option("--json", "for programs: a report of what was written")
    .addHelpText(
      "after",
      examples(
        ["resnetc compile net.resnet -o net.onnx", "random weights"],
        ["resnetc compile ResNet50V15 --weights resnet50.pth -o resnet50.onnx", "torchvision's weights"],
        ['resnetc compile "CifarResNet(depth: 56)" --seed 7', "the same bytes every time"],
        ["resnetc compile ResNet50 --input-pixels", "feed it decoded images of any size"],
        ["resnetc compile ResNet50 --weights resnet50.pth --precision int8 --calibrate photos", "8-bit numbers"],
        ["resnetc compile ResNet152 --no-weights", "structure only"],
        ["resnetc compile ResNet18 --training --batch 16 -o step", "for other bindings of ONNX Runtime"],
        ["resnetc compile ResNet18 --training --device cuda -o step", "the same for a GPU"],
      ),
    )
    .action(run);
  for (const option of CALIBRATION) command.addOption(option);
  return command;
}

async function run(target: string, options: Options): Promise<void> {
  if (options.weights === false && (options.seed !== undefined || options.externalData)) {
    throw new UsageFailure(`--no-weights does not go with ${options.externalData ? "--external-data" : "--seed"}`);
  }
  checkChoice(options);
  if (options.recipe !== undefined && !options.training) throw new UsageFailure("--recipe goes with --training");
  if (options.phase !== undefined && options.recipe === undefined) throw new UsageFailure("--phase goes with --recipe");
  if (options.training) return compileTraining(target, options);
  const labels = options.labels === undefined ? undefined : await readLabels(options.labels);
  const model = await loadModel(target, { input: options.input });
  if (labels !== undefined) requireLabels(labels, options.labels!, model);
  const output = outputFile(options.output ?? `${model.name}.onnx`, { binary: true, json: options.json });
  if (output === STANDARD_OUTPUT && options.externalData) {
    throw new UsageFailure("--external-data writes two files, which the standard output can't take");
  }
  const weights = typeof options.weights === "string" ? await loadWeights(model, options.weights, options) : undefined;
  const named = options.preprocess === undefined ? undefined : await namedPreprocess(options.preprocess);
  const { fitted, imageChannels } = await import("../../compiler/preprocess.js");
  const chosen = named && fitted(named, imageChannels(model));
  // With weights it was said when they were loaded.
  if (!weights && chosen?.assumed !== undefined) logWarning(`${model.name}: ${chosen.assumed}`);
  const preprocess = weights?.preprocess ?? chosen?.preprocess ?? model.preprocess;
  const { emitModel } = await import("../../compiler/compile.js");
  const { writeModel } = await import("../../runtime/onnx/model-files.js");
  try {
    const calibration =
      options.precision === "int8"
        ? await calibrated(weights?.model ?? model, options, {
            ...(weights?.emit.weights && { weights: weights.emit.weights }),
            ...(options.seed !== undefined && { seed: options.seed }),
            ...(preprocess && { preprocess }),
          })
        : undefined;
    const emit = (externalName: string) =>
      emitModel(weights?.model ?? model, {
        ...weights?.emit,
        ...(options.weights === false ? { withWeights: false } : {}),
        ...(options.seed === undefined ? {} : { seed: options.seed }),
        ...(calibration && { quantization: calibration.quantization }),
        ...(options.precision === "fp16" || options.precision === "fp32" ? { precision: options.precision } : {}),
        ...(options.batch === undefined ? {} : { batch: options.batch }),
        ...(options.inputPixels ? { inputPixels: true } : {}),
        ...(options.opset === undefined ? {} : { opset: options.opset }),
        ...(options.device === undefined ? {} : { device: options.device }),
        ...(options.fold ? {} : { fold: false }),
        ...(labels === undefined ? {} : { labels }),
        ...(chosen === undefined ? {} : { preprocess: chosen.preprocess }),
        externalData: options.externalData ? externalName : { ifLarge: externalName },
      });
    const files = await writeModel(output, emit);
    if (options.json) {
      printReport({
        output,
        files,
        network: model.name,
        preprocess: preprocess ?? null,
        weights: weights?.report ?? null,
        origin: weights?.emit.origin ?? (options.weights === false ? null : { from: "random" }),
        quantization: calibration
          ? {
              method: calibration.method,
              images: calibration.images,
              decibels: calibration.decibels,
              layers: calibration.layers,
            }
          : null,
      });
    } else log(`wrote ${files.map((file) => `${nameOfOutput(file.path)} (${byteSize(file.bytes)})`).join(" and ")}`);
  } finally {
    weights?.close();
  }
}

async function compileTraining(target: string, options: Options): Promise<void> {
  const given = (["labels", "precision", "externalData"] as const).find((name) => options[name] !== undefined);
  if (given !== undefined) throw new UsageFailure(`--${given} does not go with --training: state is the graphs' input`);
  if (options.weights === false)
    throw new UsageFailure("--no-weights does not go with --training, which needs a beginning");
  const { forTraining, writeTraining } = await import("../training-files.js");
  const { model, size } = await forTraining(target, await loadModel(target, { input: options.input }), options.input);
  const weights = typeof options.weights === "string" ? await loadWeights(model, options.weights, options) : undefined;
  const request = { ...options, ...(size && { size }) };
  try {
    await writeTraining(model, outputFolder(options.output ?? `${model.name}-training`), request, weights?.values);
  } finally {
    weights?.close();
  }
}
