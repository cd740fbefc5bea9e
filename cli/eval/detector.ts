/** A detector run over annotated images, and judged. */
import type { DeviceRequest } from "../../compiler/device.js";
import type { ClassesBy } from "../../runtime/data/class-match.js";
import type { Detector } from "../../runtime/detection/detector.js";
import type { DetectedData } from "../../runtime/detection/run.js";
import { isOther, type Group } from "../../runtime/parallel/group.js";
import { outputFile } from "../output.js";
import { startProgress } from "../progress.js";
import { runnable, type RunnableOptions } from "../runnable.js";
import { colours, log, logWarning } from "../terminal.js";
import { readOrigin } from "../weights.js";
import { present, type Evaluated, type JudgeOptions } from "./detection-report.js";

export interface EvalDetectorOptions extends RunnableOptions, JudgeOptions {
  /** Where to keep what was found. */
  readonly save?: string;
  readonly batch?: number;
  readonly device: DeviceRequest;
  readonly threads?: number;
  readonly strict?: boolean;
  readonly classesBy?: ClassesBy;
  /** Processes that evaluate together; the first tells. */
  readonly group?: Group;
}

/**
 * @param name as the user named the model
 * @param target the model itself
 */
export async function evalDetector(
  name: string,
  target: string,
  data: Evaluated,
  options: EvalDetectorOptions,
): Promise<void> {
  const warnings: string[] = [...data.warnings];
  const warn = (warning: string): void => {
    warnings.push(warning);
    logWarning(warning);
  };
  const model = await runnable(target, options);
  const weights = await readOrigin(model);
  const { openDetector } = await import("../../runtime/detection/detector.js");
  const detector = await openDetector(model, {
    device: options.device,
    ...(options.threads !== undefined && { threads: options.threads }),
  });
  try {
    const found = await detect(detector, data, options, warn);
    if (isOther(options.group)) return;
    const save = options.save === undefined ? undefined : outputFile(options.save, options);
    if (save !== undefined) {
      const { withOwnIds, writeCocoDetections } = await import("../../runtime/data/sources/coco/write.js");
      const detections = withOwnIds(found.detections, found.data);
      await writeCocoDetections(save, detections, { followLinks: true });
    }
    if (!options.json) log(colours.error.dim(`on ${detector.session.device}: ${detector.session.deviceReason}`));
    await present({ ...data, annotations: found.data, detections: found.detections, warnings }, options, {
      model: name,
      weights,
      device: detector.session.device,
      files: save === undefined ? [] : [save],
    });
  } finally {
    await detector.close();
  }
}

async function detect(
  detector: Detector,
  { split }: Evaluated,
  { batch, strict, classesBy, group }: EvalDetectorOptions,
  onWarning: (warning: string) => void,
): Promise<DetectedData> {
  const { detectData } = await import("../../runtime/detection/run.js");
  const progress = await startProgress({ label: "detecting", total: split.size, unit: "images" });
  try {
    return await detectData(detector, split, {
      ...(batch !== undefined && { batch }),
      ...(strict && { strict }),
      ...(classesBy !== undefined && { classesBy }),
      ...(group && { group }),
      onWarning,
      onProgress: (done) => progress.update(done),
    });
  } finally {
    progress.stop();
  }
}
