/** The learning rate: over a training, and the loss over a rate that rises. */
import type { Metrics } from "../training/metrics.js";
import type { FoundRate } from "../training/find-rate.js";
import { chart, COLOURS, type Axis, type LegendEntry, type Panel, type Series } from "./chart.js";

interface Course {
  readonly name: string;
  readonly colour: string;
  readonly metrics: readonly Metrics[];
}

/** The learning rates of runs over their updates. */
export function ratePanel(runs: readonly Course[], x: Axis): Panel {
  const series = runs.map(({ name, colour, metrics }): Series => {
    const points = metrics.flatMap((each) => (each.kind === "step" ? [[each.step, each.learningRate] as const] : []));
    return { name: `${name}, learning rate`, colour, steps: true, points: thinned(points) };
  });
  const rates = series.flatMap(({ points }) => points.map(([, rate]) => rate)).filter((rate) => rate > 0);
  const [low, high] = [Math.min(...rates, Infinity), Math.max(...rates, 0)];
  if (rates.length === 0) return { x, y: { label: "learning rate", domain: [0, 1] }, series };
  // A rate that goes to nothing is shown down to a thousandth of its highest.
  const log = high / low > 20;
  const least = Math.max(low, high / 1000);
  const shown = log
    ? series.map((each) => ({ ...each, points: each.points.map(([at, rate]) => [at, Math.max(rate, least)] as const) }))
    : series;
  const domain = [log ? least * 0.9 : 0, high * 1.08] as const;
  return { x, y: { label: "learning rate", domain, format: scientific, ...(log && { log }) }, series: shown };
}

/** Where the rate changes, and its ends: what lies on the way of a step needs no point. */
function thinned(points: readonly (readonly [number, number])[]): readonly (readonly [number, number])[] {
  return points.filter(([, rate], at) => at === 0 || at === points.length - 1 || rate !== points[at - 1]![1]);
}

/** Losses over rates, their mean, the suggestion and the steepest fall, as SVG. */
export function drawRates({ points, suggestion, steepest }: FoundRate, title: string): string {
  const losses = points.flatMap(({ loss, smoothed }) => [loss, smoothed]);
  const highest = Math.max(...points.map(({ smoothed }) => smoothed), 0);
  const [low, high] = [Math.min(...losses, highest), Math.min(Math.max(...losses, 0), 2 * highest) || 1];
  const margin = (high - low) * 0.08 || 1;
  const bottom = Math.max(0, low - margin);
  const upright = (rate: number, colour: string, dashed: boolean): Series => ({
    name: `rate ${rate}`,
    colour,
    dashed,
    points: [
      [rate, bottom],
      [rate, high + margin],
    ],
  });
  const [mean, suggested, falls] = COLOURS;
  const series: Series[] = [
    {
      name: "loss",
      colour: mean,
      width: 1,
      opacity: 0.35,
      points: points.map(({ rate, loss }) => [rate, Math.min(loss, high + margin)]),
    },
    { name: "mean", colour: mean, width: 2.2, points: points.map(({ rate, smoothed }) => [rate, smoothed]) },
    ...(suggestion === undefined ? [] : [upright(suggestion, suggested, false)]),
    ...(steepest === undefined ? [] : [upright(steepest, falls, true)]),
  ];
  const legend: LegendEntry[] = [
    { name: "loss (thin) and its mean", colour: mean },
    ...(suggestion === undefined ? [] : [{ name: `suggestion: ${suggestion}`, colour: suggested }]),
    ...(steepest === undefined ? [] : [{ name: "where it falls fastest", colour: falls, dashed: true }]),
  ];
  const panel: Panel = {
    title,
    x: {
      label: "learning rate",
      domain: [points[0]!.rate, points.at(-1)!.rate],
      log: true,
      format: scientific,
    },
    y: { label: "loss", domain: [bottom, high + margin] },
    series,
  };
  return chart([panel], legend, `loss over the learning rate, ${title}`);
}

/** `1e-4`, `0.01`, `10` */
function scientific(value: number): string {
  return value !== 0 && (value < 0.01 || value >= 10_000) ? value.toExponential().replace("e+", "e") : String(value);
}
