/** Training curves as figures 4 and 6 of the paper draw them: error over iterations, training dashed, validation bold. */
import type { Metrics } from "../training/metrics.js";
import { chart, COLOURS, type LegendEntry, type Series } from "./chart.js";
import { lossPanel, stated } from "./losses.js";
import { ratePanel } from "./rates.js";

/** A training's name in the legend, and what was measured. */
export interface PlottedRun {
  readonly name: string;
  readonly metrics: readonly Metrics[];
}

/** How curves are drawn. */
export interface PlotOptions {
  readonly title?: string;
  /** Highest error of the axis, 0 to 1. Default: what the curves need, without their beginnings. */
  readonly top?: number;
  /** Default: where the errors span more than a factor of 20. */
  readonly log?: boolean;
  /** The learning rate is drawn beside it. */
  readonly rate?: boolean;
}

/** What is measured at each update is averaged over equal parts of a run: not more than this, and 20 updates where it can be. */
const POINTS = 400;
const [SMOOTHED_UPDATES, LEAST_POINTS] = [20, 40];

/**
 * Draws error over iterations of one or more trainings, of detectors the average precision of their validations; beside it the
 * losses of those whose networks state several.
 *
 * @returns SVG text
 */
export function plot(runs: readonly PlottedRun[], options: PlotOptions = {}): string {
  const areDetectors = runs.some(({ metrics }) => metrics.some((each) => each.kind === "validation" && "AP" in each));
  const what = areDetectors ? "AP" : "error";
  const curves = runs.map(({ name, metrics }, index) => ({
    name,
    metrics,
    colour: COLOURS[index % COLOURS.length]!,
    training: smoothed(metrics.flatMap((each) => (each.kind === "step" ? measured(each.step, each.error) : []))),
    validation: metrics.flatMap((each) =>
      each.kind === "validation" ? measured(each.step, areDetectors ? each.AP : each.error) : [],
    ),
  }));
  const points = curves.flatMap(({ training, validation }) => [...training, ...validation]);
  const last = Math.max(1, ...points.map(([step]) => step));
  const settled = points.filter(([step]) => step > last / 20).map(([, error]) => error);
  const [low, high] = [Math.min(...settled, 1), Math.max(...settled, 0.01)];
  const least = Math.min(...settled.filter((error) => error > 0), 1);
  const log = options.log ?? (low > 0 && high / low > 20);
  const top = options.top ?? Math.min(1, 1.08 * high);
  const percent = (error: number): number => 100 * error;
  const series = curves.flatMap(({ name, colour, training, validation }): Series[] => [
    { name: `${name}, training`, colour, dashed: true, width: 1, points: training.map(([x, y]) => [x, percent(y)]) },
    {
      name: `${name}, validation`,
      colour,
      width: 2.2,
      marked: validation.length < 30,
      points: validation.map(([x, y]) => [x, percent(y)]),
    },
  ]);
  const losses = curves.filter(({ metrics }) => stated(metrics).length > 1);
  const parts = losses.length === 0 ? undefined : lossPanel(losses, { domain: [0, last], format: thousands }, smoothed);
  const legend: LegendEntry[] = [
    ...curves.map(({ name, colour }) => ({ name, colour })),
    { name: "validation", colour: "#222222" },
    ...(areDetectors ? [] : [{ name: "training", colour: "#222222", dashed: true }]),
    ...(parts?.legend ?? []),
  ];
  const panel = {
    ...(options.title !== undefined && { title: options.title }),
    x: { label: "iterations", domain: [0, last] as const, format: thousands },
    y: { label: `${what} (%)`, domain: [log ? percent(least) : 0, percent(top)] as const, ...(log && { log }) },
    series,
  };
  const panels = [panel, ...(parts ? [parts.panel] : []), ...(options.rate ? [ratePanel(curves, panel.x)] : [])];
  return chart(panels, legend, `${what} of ${runs.map(({ name }) => name).join(", ")}`);
}

/** Means over equal parts of the run. */
function smoothed(points: Series["points"]): Series["points"] {
  const smooth = Math.min(SMOOTHED_UPDATES, Math.ceil(points.length / LEAST_POINTS));
  const window = Math.max(1, smooth, Math.ceil(points.length / POINTS));
  const means: [number, number][] = [];
  for (let first = 0; first < points.length; first += window) {
    const part = points.slice(first, first + window);
    const mean = (axis: 0 | 1): number => part.reduce((sum, point) => sum + point[axis], 0) / part.length;
    means.push([mean(0), mean(1)]);
  }
  return means;
}

/** `32k` */
function thousands(value: number): string {
  return value >= 10_000 ? `${value / 1000}k` : String(value);
}

function measured(step: number, value: number | undefined): readonly (readonly [step: number, value: number])[] {
  return value === undefined ? [] : [[step, value]];
}
