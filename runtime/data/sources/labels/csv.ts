/** Comma-separated values by RFC 4180. */
import { DataError } from "../../../data-error.js";

/** A line, or several where a cell has line breaks in it. */
export interface Row {
  /** The line on which it begins, from 1. */
  readonly line: number;
  readonly cells: readonly string[];
}

/**
 * Rows of a text; empty lines are left out.
 *
 * @param file for messages
 * @throws {DataError} for a quote that is not closed, or has text behind it
 */
export function parseCsv(text: string, file: string): readonly Row[] {
  const rows: Row[] = [];
  const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|\n|\r|$)/y;
  let [at, line] = [0, 1];
  while (at < text.length) {
    const [begun, cells]: [number, string[]] = [line, []];
    for (let end = ","; end === ",";) {
      cell.lastIndex = at;
      const found = cell.exec(text);
      if (!found) throw new DataError(`${file}: line ${line}: quotes stand round a whole cell, and are doubled in it`);
      const [whole, quoted, plain] = found;
      cells.push(quoted?.replaceAll('""', '"') ?? plain!);
      line += whole.match(/\r\n|\n|\r/g)?.length ?? 0;
      at += whole.length;
      end = found[3]!;
    }
    if (cells.some((each) => each.trim() !== "")) rows.push({ line: begun, cells });
  }
  return rows;
}
