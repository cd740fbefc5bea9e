import { readFile } from "node:fs/promises";
import { InputFailure } from "./failure.js";
import { decodeSource } from "./sources.js";

/** Names of classes, one a line, in the order of the logits. */
export async function readLabels(file: string): Promise<string[]> {
  const lines = decodeSource(await readFile(file), file).split(/\r?\n/);
  if (lines.at(-1) === "") lines.pop();
  if (lines.length === 0) throw new InputFailure(`${file}: no labels in it`);
  return lines.map((line) => line.trim());
}
