/** Figure 7 of the paper: standard deviations of layer responses, in the layers' order and sorted. */
import type { LayerResponse } from "../training/responses.js";
import { chart, COLOURS } from "./chart.js";

export interface PlottedResponses {
  readonly name: string;
  readonly layers: readonly LayerResponse[];
}

export function plotResponses(networks: readonly PlottedResponses[]): string {
  const longest = Math.max(1, ...networks.map(({ layers }) => layers.length));
  const highest = Math.max(...networks.flatMap(({ layers }) => layers.map(({ std }) => std)), 0.01);
  const panel = (title: string, x: string, sorted: boolean) => ({
    title,
    x: { label: x, domain: [0, longest] as const },
    y: { label: "standard deviation", domain: [0, highest * 1.05] as const },
    series: networks.map(({ name, layers }, index) => {
      const values = layers.map(({ std }) => std);
      if (sorted) values.sort((a, b) => b - a);
      return {
        name,
        colour: COLOURS[index % COLOURS.length]!,
        steps: true,
        // Each layer as wide as its place; the last one too.
        points: [...values, values.at(-1) ?? 0].map((value, layer) => [layer, value] as const),
      };
    }),
  });
  const legend = networks.map(({ name }, index) => ({ name, colour: COLOURS[index % COLOURS.length]! }));
  return chart(
    [
      panel("in the order of the layers", "layer index (original)", false),
      panel("sorted", "layer index (sorted by magnitude)", true),
    ],
    legend,
    `layer responses of ${networks.map(({ name }) => name).join(", ")}`,
  );
}
