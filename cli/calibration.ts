/** `--precision int8` and what belongs to it: ranges are measured on images before a model is written. */
import { Option } from "commander";
import type { ParameterValues } from "../compiler/index.js";
import type { Model, Preprocess } from "../compiler/model.js";
import type { Calibration, LayerError } from "../runtime/quantization/calibrate.js";
import type { CalibrationMethod } from "../runtime/quantization/methods.js";
import { firstFew } from "../runtime/few.js";
import { wholeNumber } from "./arguments.js";
import { InputFailure, UsageFailure } from "./failure.js";
import { STANDARD_OUTPUT } from "./output.js";
import { startProgress } from "./progress.js";
import { renderTable } from "./table.js";
import { log, logWarning, plural, print } from "./terminal.js";
import { optionOf } from "./weights.js";

export interface CalibrationChoice {
  readonly precision?: "fp32" | "fp16" | "int8";
  readonly calibrate?: string;
  readonly calibrateImages?: number;
  readonly method?: CalibrationMethod;
  readonly keep?: readonly string[];
  readonly report?: string | boolean;
}

export const CALIBRATION: readonly Option[] = [
  new Option("--calibrate <images>", "with int8: a folder of images, or data as --data names them, to measure on"),
  new Option("--calibrate-images <n>", "how many of them; default: 100").argParser(wholeNumber(1, 1e6)),
  new Option("--method <method>", "how ranges are found; default: minmax").choices(["minmax", "percentile", "entropy"]),
  new Option(
    "--keep <layers>",
    "layers that stay in fp32, by path, with commas; default: the first and the last",
  ).argParser((text: string) => text.split(",").map((path) => path.trim())),
  new Option("--report [file]", "what 8-bit numbers change in each layer: a table, or a JSON file"),
];

const IMAGES = 100;
/** Decibels under which the noise is a third of the signal and more. */
const POOR = 10;

/** Options that only int8 has a use for, and those that it does without. */
export function checkChoice(
  options: CalibrationChoice & { fold: boolean; weights: string | boolean; json?: boolean; output?: string },
): void {
  if (options.precision === "int8") {
    if (options.calibrate === undefined) {
      throw new UsageFailure("--precision int8 needs --calibrate: images like those that the model will see");
    }
    if (!options.fold) throw new UsageFailure("--no-fold does not go with --precision int8");
    if (options.report === true && (options.json || options.output === STANDARD_OUTPUT)) {
      const other = options.json ? "--json, which has what it says," : "-o -";
      throw new UsageFailure(`--report without a file and ${other} both write to the standard output`);
    }
    if (options.weights === false) throw new UsageFailure("--no-weights does not go with --precision int8");
    return;
  }
  const given = (["calibrate", "calibrateImages", "method", "keep", "report"] as const).find(
    (name) => options[name] !== undefined,
  );
  if (given === undefined) return;
  throw new UsageFailure(`${optionOf(given)} goes with --precision int8`);
}

/** Measures, and says what was found. */
export async function calibrated(
  model: Model,
  options: CalibrationChoice,
  given: { readonly weights?: ParameterValues; readonly seed?: number; readonly preprocess?: Preprocess },
): Promise<Calibration> {
  const { calibrationImages } = await import("../runtime/quantization/images.js");
  const { calibrate, passesOf } = await import("../runtime/quantization/calibrate.js");
  const { images, warnings } = await calibrationImages(options.calibrate!, options.calibrateImages ?? IMAGES);
  warnings.forEach(logWarning);
  const total = passesOf(model, options.method) * images.length;
  const progress = await startProgress({ label: "calibrating", total, unit: "images" });
  let calibration;
  try {
    calibration = await calibrate(model, images, {
      ...given,
      ...(options.method && { method: options.method }),
      ...(options.keep && { keep: options.keep }),
      onUnreadable: logWarning,
      onProgress: (done) => progress.update(done),
    });
  } catch (error) {
    if (error instanceof RangeError) throw new InputFailure(error.message);
    throw error;
  } finally {
    progress.stop();
  }
  await tell(calibration, options.report);
  return calibration;
}

async function tell(calibration: Calibration, report: string | boolean | undefined): Promise<void> {
  const { layers, images, method, decibels, zeros } = calibration;
  const { KEPT, quantizationReport } = await import("../runtime/quantization/report.js");
  if (report === true) print(table(layers, KEPT));
  else if (typeof report === "string") {
    const { writeWhole } = await import("../runtime/files.js");
    const text = `${JSON.stringify(quantizationReport(calibration), undefined, 2)}\n`;
    await writeWhole(report, [new TextEncoder().encode(text)]);
  }
  const kept = layers.filter((layer) => layer.kept !== undefined);
  log(
    `measured on ${plural(images, "image")} (${method}): ${layers.length - kept.length} of ${plural(layers.length, "layer")} in int8`,
  );
  for (const layer of kept) {
    const { path, kept: why, decibels: own } = layer;
    const noise = why === "error" ? `, ${own!.toFixed(1)} dB` : "";
    log(`  ${path} stays in fp32: ${KEPT[why!]}${noise}${layer.stored ? `; ${storedWeight(layer)}` : ""}`);
  }
  if (decibels !== null) {
    log(`  ${decibels.toFixed(1)} dB of signal to noise in what the network gives, on these images`);
    if (decibels < POOR)
      logWarning("8-bit numbers change what the network gives by much: measure it with eval before it is used");
  }
  if (zeros.length > 0) {
    logWarning(`${firstFew(zeros, 3)}: 0 on all images, so that their scale is a guess`);
  }
}

function storedWeight({ weightDecibels }: LayerError): string {
  const noise = typeof weightDecibels === "number" ? `, ${weightDecibels.toFixed(1)} dB` : "";
  return `its weight is stored in int8${noise}`;
}

function table(layers: readonly LayerError[], kept: Readonly<Record<string, string>>): string {
  const rows = layers.map((layer) => {
    const { path, decibels, kept: why, stored } = layer;
    return [
      path,
      decibels === null ? "all 0" : decibels.toFixed(1),
      why ? `fp32: ${kept[why]}${stored ? `; ${storedWeight(layer)}` : ""}` : "int8",
    ];
  });
  return renderTable([["layer", "signal to noise, dB", ""], "rule", ...rows], ["left", "right", "left"]);
}
