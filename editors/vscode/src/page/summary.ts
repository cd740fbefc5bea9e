/** A network's costs as table 1 of the paper has them. */
import type { Cost, StageSummary, Summary } from "../../../../compiler/summary.js";

const COLUMNS = ["stage", "output", "layers", "parameters", "multiply-adds", "activations"] as const;

export function showSummary(place: HTMLElement, summary: Summary): void {
  const inputs = summary.inputs.map(({ name, shape }) => `${name} ${shapeText(shape)}`).join(", ");
  const table = document.createElement("table");
  const caption = table.createCaption();
  caption.textContent = `${summary.name}, ${inputs}; multiply-adds and activations at batch 1`;
  const head = table.createTHead().insertRow();
  for (const column of COLUMNS) {
    const cell = document.createElement("th");
    cell.scope = "col";
    cell.textContent = column;
    head.append(cell);
  }
  const body = table.createTBody();
  for (const stage of summary.stages) {
    addRow(body, stage.path, [shapeText(stage.output), layersOf(stage), ...costs(stage)]);
  }
  addRow(table.createTFoot(), "total", ["", "", ...costs(summary)]);
  place.replaceChildren(table);
}

function addRow(section: HTMLTableSectionElement, name: string, cells: readonly string[]): void {
  const row = section.insertRow();
  const head = document.createElement("th");
  head.scope = "row";
  head.textContent = name;
  row.append(head);
  for (const text of cells) row.insertCell().textContent = text;
}

function layersOf({ parts }: StageSummary): string {
  return parts
    .filter(({ labels }) => labels.length > 0)
    .map(({ block, labels, count }) => {
      const text = labels.join(block === undefined ? ", " : "; ");
      return (block === undefined ? text : `[${text}]`) + (count === 1 ? "" : ` × ${count}`);
    })
    .join("\n");
}

/** A question mark where only running the model tells. */
function costs({ params, macs, activations }: Cost): string[] {
  const text = (value: number | null): string => (value === null ? "?" : value === 0 ? "" : value.toLocaleString("en"));
  const bytes = activations === null || activations === 0 ? text(activations) : `${(activations / 1e6).toFixed(2)} MB`;
  return [text(params), text(macs), bytes];
}

/** `64x56x56`: without the batch. */
function shapeText(shape: readonly (number | string)[]): string {
  return shape.slice(1).join("x");
}
