/** A summary as text that reads like table 1. */
import type { Cost, PartSummary, StageSummary, Summary } from "../compiler/summary.js";
import { renderTable, type TableRow } from "./table.js";
import { byteSize, count, type Colours } from "./terminal.js";

export function summaryTable(summary: Summary, everyLayer: boolean, colours: Colours): string {
  const inputs = summary.inputs.map(({ name, shape }) => `${name} ${shapeText(shape)}`).join(", ");
  const head = `${colours.bold(summary.name)}  ${colours.dim(inputs)}`;
  const rows = everyLayer ? layerRows(summary) : summary.stages.flatMap(stageRows);
  const columns = everyLayer ? ["layer", "operator", "output"] : ["stage", "output", "layers"];
  const table = renderTable(
    [
      [...columns, "parameters", "multiply-adds", "activations"].map((title) => colours.dim(title)),
      "rule",
      ...rows,
      "rule",
      [colours.bold("total"), "", "", ...costCells(summary).map((cell) => colours.bold(cell))],
    ],
    ["left", "left", "left", "right", "right", "right"],
  );
  const peak = summary.peak === null ? "" : `at most ${byteSize(summary.peak)} of activations live at a time; `;
  return [head, "", table, "", colours.dim(`${peak}multiply-adds and memory are for a batch of 1`)].join("\n");
}

function layerRows(summary: Summary): TableRow[] {
  return summary.layers.map((layer) => [
    layer.path,
    layer.label ?? layer.op,
    shapeText(layer.output),
    ...costCells(layer),
  ]);
}

function stageRows(stage: StageSummary): TableRow[] {
  const parts = stage.parts.filter((part) => part.labels.length > 0);
  const layers = parts.map(partText).join("\n");
  return [[stage.path, shapeText(stage.output), layers, ...costCells(stage)]];
}

/** Table 1's brackets: the layers of a block above each other, with the number of blocks beside them. */
function partText({ block, labels, count: times }: PartSummary): string {
  if (block === undefined) return times === 1 ? labels.join("\n") : `${labels.join(", ")} × ${times}`;
  if (labels.length === 1 && times === 1) return labels.join("\n");
  const width = Math.max(...labels.map((label) => label.length));
  const middle = Math.floor((labels.length - 1) / 2);
  return labels
    .map((label, index) => {
      const [open, close] = bracket(index, labels.length);
      return `${open} ${label.padEnd(width)} ${close}${index === middle ? ` × ${times}` : ""}`;
    })
    .join("\n");
}

function bracket(index: number, length: number): readonly [string, string] {
  if (length === 1) return ["[", "]"];
  if (index === 0) return ["⎡", "⎤"];
  return index === length - 1 ? ["⎣", "⎦"] : ["⎢", "⎥"];
}

/** Empty for nothing, as for the activations' parameters; a question mark where only running the model tells. */
function costCells({ params, macs, activations }: Cost): string[] {
  const cell = (value: number | null, format: (value: number) => string): string =>
    value === null ? "?" : value === 0 ? "" : format(value);
  return [cell(params, count), cell(macs, count), cell(activations, byteSize)];
}

/** `64x56x56`: without the batch. */
function shapeText(shape: readonly (number | string)[]): string {
  return shape.slice(1).join("x");
}
