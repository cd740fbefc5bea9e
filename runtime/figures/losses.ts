/** The losses that a network states, over iterations. */
import type { Metrics } from "../training/metrics.js";
import { COLOURS, type Axis, type LegendEntry, type Panel, type Series } from "./chart.js";

interface Run {
  readonly name: string;
  readonly metrics: readonly Metrics[];
}

/** Names of the losses that a run measured, in their order. */
export function stated(metrics: readonly Metrics[]): readonly string[] {
  return [...new Set(metrics.flatMap((each) => (each.kind === "step" ? Object.keys(each.losses ?? {}) : [])))];
}

/**
 * Curves for each loss of each run, of updates dashed and of validations bold, in the last colours: the first are the
 * runs'.
 */
export function lossPanel(
  runs: readonly Run[],
  x: Omit<Axis, "label">,
  smoothed: (points: Series["points"]) => Series["points"],
): { readonly panel: Panel; readonly legend: readonly LegendEntry[] } {
  const several = runs.length > 1;
  const all = runs.flatMap((run) => stated(run.metrics).map((loss) => ({ run, loss })));
  const curves = all.map(({ run, loss }, index) => {
    const pointsOf = (kind: Metrics["kind"]): Series["points"] =>
      run.metrics.flatMap((each): Series["points"] => {
        const value = each.kind === kind ? each.losses?.[loss] : undefined;
        return value === undefined ? [] : [[each.step, value]];
      });
    return {
      name: several ? `${run.name}, ${loss}` : loss,
      colour: COLOURS[COLOURS.length - 1 - (index % COLOURS.length)]!,
      training: smoothed(pointsOf("step")),
      validation: pointsOf("validation"),
    };
  });
  const series = curves.flatMap(({ name, colour, training, validation }): Series[] => [
    { name: `${name}, training`, colour, dashed: true, width: 1, points: training },
    { name: `${name}, validation`, colour, width: 2.2, marked: validation.length < 30, points: validation },
  ]);
  const high = Math.max(...series.flatMap(({ points }) => points.map(([, y]) => y)));
  return {
    panel: {
      x: { ...x, label: "iterations" },
      y: { label: "loss, unweighted", domain: [0, Number.isFinite(high) && high > 0 ? 1.08 * high : 1] },
      series,
    },
    legend: curves.map(({ name, colour }) => ({ name, colour })),
  };
}
