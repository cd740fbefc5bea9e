import { readFile } from "node:fs/promises";
import type { Model } from "../compiler/model.js";
import { InputFailure } from "./failure.js";
import { decodeSource } from "./sources.js";
import { plural } from "./terminal.js";

/** Names of classes, one a line, in the order of the logits. */
export async function readLabels(file: string): Promise<string[]> {
  const lines = decodeSource(await readFile(file), file).split(/\r?\n/);
  if (lines.at(-1) === "") lines.pop();
  if (lines.length === 0) throw new InputFailure(`${file}: no labels in it`);
  return lines.map((line) => line.trim());
}

/** As many as the network has classes, where that is known. */
export function requireLabels(labels: readonly string[], file: string, { name, graph }: Model): void {
  const classes = graph.outputs[0]?.value.type.shape[1];
  if (typeof classes === "number" && classes !== labels.length) {
    throw new InputFailure(`${file}: ${plural(labels.length, "label")}, but ${name} has ${classes} classes`);
  }
}
