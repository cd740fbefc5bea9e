/** What an object detector found, judged and printed. */
import type { WeightsOrigin } from "../../compiler/metadata.js";
import type { CocoEvaluation } from "../../runtime/detection/evaluate/coco.js";
import type { VocEvaluation } from "../../runtime/detection/evaluate/voc.js";
import type { AnnotatedSplit } from "../../runtime/data/data-set.js";
import type { Annotations, Detection } from "../../runtime/data/objects.js";
import { renderTable, type TableRow } from "../table.js";
import { outputFile, writeOutput } from "../output.js";
import { printReport, writtenFiles } from "../report.js";
import { plural, print, logWarning } from "../terminal.js";

export const DETECTION_METRICS = ["coco", "voc07", "voc10"] as const;

/** By what is judged, and what becomes of it. */
export interface JudgeOptions {
  /** Default "coco". */
  readonly metric?: (typeof DETECTION_METRICS)[number];
  /** Where to draw precision over recall, as SVG. */
  readonly curves?: string;
  readonly json?: boolean;
}

/** What is judged by. */
export interface Evaluated {
  /** Of the data set. */
  readonly name: string;
  readonly split: AnnotatedSplit;
  /** What was told of it. */
  readonly warnings: readonly string[];
}

/** @param file a JSON list of COCO's kind: what another program found, or an earlier run */
export async function evalDetections(file: string, data: Evaluated, options: JudgeOptions): Promise<void> {
  const { readCocoDetections } = await import("../../runtime/data/sources/coco/detections.js");
  const annotations = data.split.annotations();
  const found = await readCocoDetections(file, annotations);
  for (const warning of found.warnings) logWarning(warning);
  const warnings = [...data.warnings, ...found.warnings];
  await present({ ...data, annotations, detections: found.detections, warnings }, options);
}

/** Detections, and what they are judged by. */
interface Found extends Evaluated {
  /** Of the images that were looked at. */
  readonly annotations: Annotations;
  readonly detections: readonly Detection[];
}

/** What programs are told of a model that was run, and of files that were written before. */
interface ModelFields {
  readonly model?: string;
  readonly weights?: WeightsOrigin | null;
  readonly device?: string;
  readonly files?: readonly string[];
}

/**
 * Judges detections, draws the curves and prints the numbers.
 *
 * @param found its warnings were told before, and are for programs
 * @param more what else programs are told: the model, the files that were written before
 */
export async function present(
  { name, split, annotations, detections, warnings }: Found,
  { metric = "coco", curves, json }: JudgeOptions,
  more: ModelFields = {},
): Promise<void> {
  const judged =
    metric === "coco" ? await judgeCoco(annotations, detections) : await judgeVoc(annotations, detections, metric);
  judged.warnings?.forEach(logWarning);
  if (curves !== undefined) {
    await writeOutput(outputFile(curves, { json }), [Buffer.from(await judged.curves())]);
  }
  const { images } = annotations;
  const counts = { data: name, split: split.name, detections: detections.length, images: images.length };
  if (json) {
    const files = await writtenFiles([...(more.files ?? []), curves]);
    printReport({
      ...more,
      metric,
      ...counts,
      ...judged.json,
      files,
      warnings: [...warnings, ...(judged.warnings ?? [])],
    });
  } else {
    const part = split.name === "all" ? "" : ` of ${split.name}`;
    print(`${name}, ${plural(detections.length, "detection")} in ${plural(images.length, "image")}${part}\n`);
    print(judged.text);
  }
}

interface DetectionMetrics {
  /** Why something could not be judged. */
  readonly warnings?: readonly string[];
  readonly text: string;
  readonly json: object;
  readonly curves: () => Promise<string>;
}

async function judgeCoco(data: Annotations, detections: readonly Detection[]): Promise<DetectionMetrics> {
  const { evaluateCoco, withoutMasks } = await import("../../runtime/detection/evaluate/coco.js");
  const evaluation = evaluateCoco(data, detections);
  const hasMasks = detections.some(({ mask }) => mask !== undefined);
  const problem = hasMasks ? withoutMasks(data, detections) : undefined;
  const masks = hasMasks && problem === undefined ? evaluateCoco(data, detections, "masks") : undefined;
  return {
    warnings: problem === undefined ? (masks?.warnings ?? []) : [`${problem}; the numbers are of boxes`],
    text: masks ? `Boxes\n\n${cocoReport(evaluation)}\n\nMasks\n\n${cocoReport(masks)}` : cocoReport(evaluation),
    json: { ...cocoFields(evaluation), ...(masks && { masks: cocoFields(masks) }) },
    curves: async () => (await import("../../runtime/figures/detection-curves.js")).drawCocoCurves(evaluation),
  };
}

function cocoFields({ summary, classes }: CocoEvaluation): object {
  return {
    ...summary,
    classes: classes.map(({ category, objects, numbers }) => ({ ...category, objects, ...numbers })),
  };
}

async function judgeVoc(
  data: Annotations,
  detections: readonly Detection[],
  metric: "voc07" | "voc10",
): Promise<DetectionMetrics> {
  const { evaluateVoc } = await import("../../runtime/detection/evaluate/voc.js");
  const evaluation = evaluateVoc(data, detections, { metric });
  return {
    text: vocReport(evaluation),
    json: {
      mAP: evaluation.mAP,
      classes: evaluation.classes.map(({ category, objects, AP }) => ({ ...category, objects, AP })),
    },
    curves: async () => (await import("../../runtime/figures/detection-curves.js")).drawVocCurves(evaluation),
  };
}

/** The classes, then the twelve numbers in COCO's order; percent. */
export function cocoReport({ summary, classes }: CocoEvaluation): string {
  const rows = classes.map(({ category, objects, numbers: { AP, AP50, AP75, AR100 } }) => [
    cut(category.name),
    String(objects),
    ...[AP, AP50, AP75, AR100].map(percent),
  ]);
  const table = renderTable(
    [["class", "objects", "AP", "AP50", "AP75", "AR100"], "rule", ...rows],
    ["left", "right", "right", "right", "right", "right"],
  );
  const numbers = Object.entries(summary).map(([name, value]): TableRow => [
    name,
    percent(value as number),
    MEANING[name as keyof typeof MEANING],
  ]);
  return `${table}\n\n${renderTable(numbers, ["left", "right", "left"])}`;
}

const MEANING: Readonly<Record<keyof CocoEvaluation["summary"], string>> = {
  AP: "average precision, mean over IoU 0.50 to 0.95",
  AP50: "at IoU 0.50",
  AP75: "at IoU 0.75",
  APs: "small objects, up to 32 x 32 pixels",
  APm: "medium objects",
  APl: "large objects, from 96 x 96 pixels",
  AR1: "average recall, 1 detection an image and class",
  AR10: "10 detections",
  AR100: "100 detections",
  ARs: "small objects",
  ARm: "medium objects",
  ARl: "large objects",
};

/** The classes and their mean; percent. */
export function vocReport({ mAP, classes }: VocEvaluation): string {
  const rows = classes.map(({ category, objects, AP }) => [cut(category.name), String(objects), percent(AP)]);
  return renderTable(
    [["class", "objects", "AP"], "rule", ...rows, "rule", ["mean", "", percent(mAP)]],
    ["left", "right", "right"],
  );
}

/** Names of categories may have any length. */
function cut(name: string): string {
  return name.length <= 40 ? name : `${name.slice(0, 39)}…`;
}

/** `-` where there is nothing to find. */
function percent(value: number): string {
  return value === -1 ? "-" : (100 * value).toFixed(1);
}
