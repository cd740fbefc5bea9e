import { readFile } from "node:fs/promises";
import type { Model } from "../compiler/model.js";
import { InputFailure } from "./failure.js";
import { decodeSource } from "./sources.js";
import { plural } from "./terminal.js";

/** Names of classes, one a line, in the order of the logits. Blank lines behind the last are none. */
export async function readLabels(file: string): Promise<string[]> {
  const text = decodeSource(await readFile(file), file).replace(/^\uFEFF/, "");
  const lines = text.trimEnd().split(/\r\n|\r|\n/);
  const blank = lines.findIndex((line) => line.trim() === "");
  if (blank >= 0 && lines.length > 1)
    throw new InputFailure(`${file}: line ${blank + 1} is blank: a class without a name`);
  if (blank >= 0) throw new InputFailure(`${file}: no labels in it`);
  return lines.map((line) => line.trim());
}

/** As many as the network has classes, where that is known. */
export function requireLabels(labels: readonly string[], file: string, { name, graph }: Model): void {
  const classes = graph.outputs[0]?.value.type.shape[1];
  // One sigmoid tells two classes apart.
  if (classes === 1 && labels.length === 2) return;
  if (typeof classes === "number" && classes !== labels.length) {
    throw new InputFailure(`${file}: ${plural(labels.length, "label")}, but ${name} has ${classes} classes`);
  }
}
