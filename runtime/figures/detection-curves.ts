/** Precision over recall: each class, and the mean. */
import { chart, COLOURS, type LegendEntry, type Panel, type Series } from "./chart.js";
import { IOU_THRESHOLDS, RECALLS, type CocoEvaluation } from "../detection/evaluate/coco.js";
import type { VocEvaluation } from "../detection/evaluate/voc.js";

type Point = readonly [recall: number, precision: number];

interface Curve {
  readonly name: string;
  /** Average precision, 0 to 1. */
  readonly AP: number;
  readonly points: readonly Point[];
}

const INK = "#222222";
const AXIS = { domain: [0, 1] } as const;
const X = { label: "recall", ...AXIS };
const Y = { label: "precision", ...AXIS };

/** At the left the classes at IoU 0.5, at the right the mean of the classes at every threshold. As SVG text. */
export function drawCocoCurves({ classes, summary }: CocoEvaluation): string {
  const present = classes.filter(({ precision }) => precision.length > 0);
  const mean = (t: number) => meanOf(present.map(({ precision }) => precision[t]!));
  const left = classPanel(
    "IoU 0.5",
    present.map(({ category, numbers, precision }) => ({
      name: category.name,
      AP: numbers.AP50,
      points: pointsOf(precision[0]!),
    })),
    { name: "mean", AP: summary.AP50, points: present.length === 0 ? [] : mean(0) },
  );
  const byThreshold = IOU_THRESHOLDS.map((threshold, t): Series => {
    const share = t / (IOU_THRESHOLDS.length - 1);
    return {
      name: `IoU ${threshold.toFixed(2)}`,
      points: present.length === 0 ? [] : mean(t),
      colour: shade(share),
      width: 1.6,
    };
  });
  const right: Panel = { title: "mean of the classes, IoU 0.5 to 0.95", x: X, y: Y, series: byThreshold };
  const ends: LegendEntry[] = [byThreshold[0]!, byThreshold.at(-1)!].map(({ name, colour }) => ({ name, colour }));
  return chart(
    [left.panel, right],
    [...left.legend, ...ends],
    `precision over recall, AP ${share(summary.AP)}, at IoU 0.5 ${share(summary.AP50)}`,
  );
}

/** As SVG text. */
export function drawVocCurves({ classes, mAP }: VocEvaluation): string {
  const present = classes.filter(({ AP }) => AP > -1);
  const sampled = present.map(({ recall, precision }) =>
    Float64Array.from(RECALLS, (least) => bestFrom(recall, precision, least)),
  );
  const { panel, legend } = classPanel(
    "PASCAL VOC, IoU above 0.5",
    present.map(({ category, AP, recall, precision }) => ({
      name: category.name,
      AP,
      points: Array.from(recall, (value, i): Point => [value, precision[i]!]),
    })),
    { name: "mean", AP: mAP, points: present.length === 0 ? [] : meanOf(sampled) },
  );
  return chart([panel], legend, `precision over recall, mAP ${share(mAP)}`);
}

/** Of many classes, lines alone, whose names are shown by the reader's pointer. */
function classPanel(title: string, curves: readonly Curve[], mean: Curve): { panel: Panel; legend: LegendEntry[] } {
  const areFew = curves.length <= COLOURS.length - 1;
  const named = (curve: Curve) => `${curve.name} ${share(curve.AP)}`;
  const series = curves.map((curve, index): Series => ({
    name: named(curve),
    points: curve.points,
    colour: areFew ? COLOURS[index]! : COLOURS[index % COLOURS.length]!,
    width: areFew ? 1.4 : 1,
    opacity: areFew ? 1 : 0.45,
  }));
  const bold: Series = { name: named(mean), points: mean.points, colour: INK, width: 2.6 };
  const legend = (areFew ? [...series, bold] : [bold]).map(({ name, colour }) => ({ name, colour }));
  return { panel: { title, x: X, y: Y, series: [...series, bold] }, legend };
}

function pointsOf(precision: Float64Array): Point[] {
  return Array.from(precision, (value, i): Point => [RECALLS[i]!, value]);
}

function meanOf(all: readonly Float64Array[]): Point[] {
  return RECALLS.map((recall, i): Point => [recall, all.reduce((sum, each) => sum + each[i]!, 0) / all.length]);
}

function bestFrom(recall: Float64Array, precision: Float64Array, least: number): number {
  let best = 0;
  recall.forEach((value, i) => {
    if (value >= least) best = Math.max(best, precision[i]!);
  });
  return best;
}

/** From blue for loose boxes to red for tight ones. */
function shade(at: number): string {
  const part = (from: number, to: number) => Math.round(from + (to - from) * at);
  return `rgb(${part(0, 213)},${part(114, 60)},${part(178, 0)})`;
}

function share(value: number): string {
  return value === -1 ? "none" : value.toFixed(3);
}
