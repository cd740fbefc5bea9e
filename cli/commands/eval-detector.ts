/** `resnetc eval MODEL --annotations instances.json`: a detector run over annotated images, and judged. */
import type { ClassesBy } from "../../runtime/data/class-match.js";
import type { DetectedData } from "../../runtime/detection/run.js";
import type { Detector } from "../../runtime/detection/detector.js";
import type { DetectionData } from "../../runtime/detection/records.js";
import type { ImageSource } from "../../runtime/images/source.js";
import { outputFile } from "../output.js";
import { startProgress } from "../progress.js";
import { runnable, type RunnableOptions } from "../runnable.js";
import { colours, plural, say, sayWarning } from "../terminal.js";
import { present, type JudgeOptions } from "./eval-detections.js";
import { tellOrigin } from "../weights.js";

export interface EvalDetectorOptions extends RunnableOptions, JudgeOptions {
  /** A JSON file of COCO's kind, a folder of PASCAL VOC's, or a number of scenes to be drawn. */
  readonly annotations: string | { readonly scenes: number };
  /** Where the images are; default: where they usually are beside the annotations. */
  readonly images?: string;
  /** Where to keep what was found. */
  readonly save?: string;
  readonly batch?: number;
  readonly device: "auto" | "cpu" | "webgpu" | "cuda";
  readonly threads?: number;
  readonly strict?: boolean;
  readonly classesBy?: ClassesBy;
}

export const SCENES = 200;

export async function evalDetector(target: string, options: EvalDetectorOptions): Promise<void> {
  const { data, images } = await openData(options);
  const warnings: string[] = [];
  const warn = (warning: string): void => {
    warnings.push(warning);
    sayWarning(warning);
  };
  data.warnings.forEach(warn);
  const model = await runnable(target, options);
  const weights = await tellOrigin(model);
  const { openDetector } = await import("../../runtime/detection/detector.js");
  const detector = await openDetector(model, {
    device: options.device,
    ...(options.threads !== undefined && { threads: options.threads }),
  });
  try {
    const found = await detect(detector, data, images, options, warn);
    const save = options.save === undefined ? undefined : outputFile(options.save, options);
    if (save !== undefined) {
      const { withOwnIds, writeCocoDetections } = await import("../../runtime/detection/write.js");
      const detections = withOwnIds(found.detections, found.data);
      await writeCocoDetections(save, detections, { followLinks: true });
    }
    if (!options.json) say(colours.error.dim(`on ${detector.session.device}: ${detector.session.deviceReason}`));
    await present(found.data, found.detections, warnings, options, {
      model: target,
      weights,
      device: detector.session.device,
      files: save === undefined ? [] : [save],
    });
  } finally {
    await detector.close();
  }
}

interface OpenedData {
  readonly data: DetectionData;
  readonly images: ReadonlyMap<number, ImageSource>;
}

async function openData({ annotations, images, set }: EvalDetectorOptions): Promise<OpenedData> {
  if (typeof annotations !== "string") {
    const { scenesTestSet } = await import("../../runtime/data/sources/synthetic/scenes/test-set.js");
    say(colours.error.dim(`drawing ${plural(annotations.scenes, "scene")}`));
    return scenesTestSet(annotations.scenes);
  }
  const { locateImages, imageFolder, readAnnotations } = await import("../../runtime/data/sources/annotated/index.js");
  const data = await readAnnotations(annotations, set === undefined ? {} : { set });
  const { files, warnings } = await locateImages(data.images, images ?? (await imageFolder(annotations)));
  return { data: { ...data, warnings: [...data.warnings, ...warnings] }, images: files };
}

async function detect(
  detector: Detector,
  data: DetectionData,
  images: OpenedData["images"],
  { batch, strict, classesBy }: EvalDetectorOptions,
  onWarning: (warning: string) => void,
): Promise<DetectedData> {
  const { detectData } = await import("../../runtime/detection/run.js");
  const progress = await startProgress({ label: "detecting", total: data.images.length, unit: "images" });
  try {
    return await detectData(detector, data, images, {
      ...(batch !== undefined && { batch }),
      ...(strict && { strict }),
      ...(classesBy !== undefined && { classesBy }),
      onWarning,
      onProgress: (done) => progress.update(done),
    });
  } finally {
    progress.stop();
  }
}
