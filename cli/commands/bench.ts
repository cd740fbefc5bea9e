/** `resnetc bench MODEL`: how fast it runs, and where the time goes. */
import { DEVICES, type DeviceRequest } from "../../compiler/device.js";
import { Command, InvalidArgumentError, Option } from "commander";
import type { BenchResult } from "../../runtime/bench.js";
import { examples, inputShape, MODEL_OR_TARGET, precision, wholeNumber, wholeNumbers } from "../arguments.js";
import { runnable, type RunnableOptions } from "../runnable.js";
import { renderTable } from "../table.js";
import { printReport } from "../report.js";
import { colours, print, log } from "../terminal.js";
import { WEIGHTS } from "../weights.js";

interface Options extends RunnableOptions {
  readonly device: readonly DeviceRequest[];
  readonly batch: readonly number[];
  readonly iterations: number;
  readonly threads?: number;
  readonly hottest: number;
  readonly json?: boolean;
}

export function benchCommand(): Command {
  return new Command("bench")
    .description("measure latency, throughput, multiply-adds per second, and the layers that take the time")
    .argument("<model>", MODEL_OR_TARGET)
    .addOption(
      new Option("--device <devices>", "auto, cpu, webgpu, cuda; several with commas")
        .argParser(deviceList)
        .default(["auto"], "auto"),
    )
    .addOption(
      new Option("--batch <sizes>", "images in a run; several with commas")
        .argParser(wholeNumbers(1, 65_536))
        .default([1], "1"),
    )
    .option("--iterations <n>", "timed runs", wholeNumber(1, 1_000_000), 20)
    .option("--threads <n>", "threads that the processor may use", wholeNumber(1, 1024))
    .option("--hottest <n>", "how many layers and source lines to list", wholeNumber(0, 10_000), 8)
    .option("--weights <file>", "weights for a target; default: random ones, which take the same time")
    .addOption(WEIGHTS.lenient)
    .addOption(WEIGHTS.newHead)
    .addOption(WEIGHTS.stateDict)
    .addOption(WEIGHTS.adaptInput)
    .addOption(WEIGHTS.epsilon)
    .option("--input <shape>", "input size of a target, as 3x320x320", inputShape)
    .option("--precision <type>", "fp32 or fp16, for a target", precision)
    .option("--json", "for programs: every layer")
    .addHelpText(
      "after",
      examples(
        ["resnetc bench ResNet50", "the best device there is, one image at a time"],
        ["resnetc bench ResNet50 --device cpu,webgpu --batch 1,8", "compare"],
      ),
    )
    .action(run);
}

async function run(target: string, options: Options): Promise<void> {
  const model = await runnable(target, options);
  const macs = typeof model === "string" ? undefined : await macsOf(target, options);
  const { bench } = await import("../../runtime/bench.js");
  const results = await bench(model, {
    devices: options.device,
    batchSizes: options.batch,
    iterations: options.iterations,
    ...(options.threads === undefined ? {} : { threads: options.threads }),
    ...(macs === undefined ? {} : { macs }),
    onMeasure: (device, batch) => log(`measuring on ${device}, ${batch} at a time`),
  });
  if (options.json) printReport({ model: target, results });
  else for (const result of results) print(`${resultText(result, options.hottest)}\n`);
}

/** Multiply-adds of one image, where they can be counted. */
async function macsOf(target: string, options: Options): Promise<number | undefined> {
  const { loadModel } = await import("../target.js");
  const { summarize } = await import("../../compiler/summary.js");
  return summarize(await loadModel(target, { input: options.input, quiet: true })).macs ?? undefined;
}

function resultText(result: BenchResult, hottest: number): string {
  const { bold, dim } = colours.out;
  const rate =
    result.macsPerSecond === undefined ? "" : `, ${(result.macsPerSecond / 1e9).toFixed(1)} G multiply-adds/s`;
  const lines = [
    `${bold(`${result.device}, input ${result.input.join("x")}`)}  ${dim(result.deviceReason)}`,
    `  ${result.medianMs.toFixed(2)} ms median, ${result.p90Ms.toFixed(2)} ms at the 90th percentile; ` +
      `${result.imagesPerSecond.toFixed(1)} images/s${rate}`,
  ];
  const share = (value: number): string => `${(100 * value).toFixed(1)} %`;
  if (hottest > 0 && result.layers.length > 0) {
    const rows = result.layers
      .slice(0, hottest)
      .map((layer) => [
        layer.path,
        layer.op,
        layer.ms.toFixed(3),
        share(layer.share),
        layer.onCpu ? "on the processor" : "",
      ]);
    const table = renderTable(
      [["hottest layers", "", "ms", "share", ""].map(dim), ...rows],
      ["left", "left", "right", "right", "left"],
    );
    lines.push("", indent(table));
  }
  if (hottest > 0 && result.lines.length > 0) {
    const rows = result.lines
      .slice(0, hottest)
      .map((line) => [line.source, `${line.layers}`, line.ms.toFixed(3), share(line.share)]);
    const table = renderTable(
      [["hottest source lines", "layers", "ms", "share"].map(dim), ...rows],
      ["left", "right", "right", "right"],
    );
    lines.push("", indent(table));
  }
  return lines.join("\n");
}

function indent(text: string): string {
  return text.replace(/^(?=.)/gm, "  ");
}

function deviceList(text: string): DeviceRequest[] {
  return text.split(",").map((part) => {
    const device = DEVICES.find((name) => name === part);
    if (device === undefined) throw new InvalidArgumentError(`${part} is not one of ${DEVICES.join(", ")}.`);
    return device;
  });
}
