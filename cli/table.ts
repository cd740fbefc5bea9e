/** Columns of text. */
import { visibleLength } from "./terminal.js";

export type Align = "left" | "right";
/** A row of cells; a cell may have several lines. `rule` is a line across. */
export type TableRow = readonly string[] | "rule";

export function renderTable(rows: readonly TableRow[], align: readonly Align[]): string {
  const cells = rows.filter((row) => row !== "rule").map((row) => row.map((cell) => cell.split("\n")));
  const widths = align.map((_, column) =>
    cells.reduce(
      (widest, row) => (row[column] ?? []).reduce((width, line) => Math.max(width, visibleLength(line)), widest),
      0,
    ),
  );
  const lines: string[] = [];
  let next = 0;
  for (const row of rows) {
    if (row === "rule") {
      lines.push(widths.map((width) => "─".repeat(width)).join("──"));
      continue;
    }
    const cellLines = cells[next++]!;
    const height = Math.max(...cellLines.map((cell) => cell.length));
    for (let line = 0; line < height; line++) {
      const parts = align.map((side, column) => {
        const text = cellLines[column]?.[line] ?? "";
        const space = " ".repeat(widths[column]! - visibleLength(text));
        return side === "left" ? text + space : space + text;
      });
      lines.push(parts.join("  ").trimEnd());
    }
  }
  return lines.join("\n");
}
