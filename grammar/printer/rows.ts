/**
 * Lines of a body, and the columns in them.
 *
 * Statements that were written in one line stay in one, as cells of a row. Rows of a kind that follow one another
 * (stages; rows that begin with the same word) are aligned, as the rows of a paper's table are.
 */
import { builders, type Doc } from "./doc.js";
import type { Comment } from "../ast.js";
import type { Context } from "./context.js";
import { atLineEnd } from "./sequence.js";

const { hardline } = builders;

export interface Line {
  /** Places in the source: what lies between two lines decides whether a blank one stays. */
  readonly start: number;
  readonly end: number;
  readonly doc: Doc;
  readonly trailing?: Comment;
  readonly row?: Row;
}

export interface Row {
  /** Rows of the same kind are aligned with each other. */
  readonly kind: string;
  /** Empty where other rows of the kind have something: a stage without a stride. */
  readonly cells: readonly string[];
  /** Spaces between cells. */
  readonly gap: string;
}

export const rowText = ({ cells, gap }: Row): string => cells.filter((cell) => cell !== "").join(gap);

/** At most one blank line is kept between two lines. */
export function isBlankBetween(start: number, end: number, text: string): boolean {
  return /\n[ \t\r]*\n/.test(text.slice(start, end));
}

/** The lines below each other. */
export function joinLines(
  lines: readonly Line[],
  column: number,
  context: Context,
  needsBlank: (line: Line, next: Line) => boolean = () => false,
): Doc {
  const aligned = align(lines, column, context);
  return aligned.map((line, index) => {
    const next = aligned[index + 1];
    const parts: Doc[] = [line.doc];
    let end = line.end;
    if (line.trailing !== undefined) {
      parts.push(atLineEnd(line.trailing));
      end = line.trailing.span.end;
    }
    if (next === undefined) return parts;
    parts.push(hardline);
    if (needsBlank(line, next) || isBlankBetween(end, next.start, context.text)) parts.push(hardline);
    return parts;
  });
}

function align(lines: readonly Line[], column: number, context: Context): Line[] {
  const aligned: Line[] = [];
  for (let first = 0; first < lines.length;) {
    let end = first + 1;
    while (end < lines.length && continuesRun(lines[end - 1], lines[end], context.text)) end++;
    aligned.push(...alignRun(lines.slice(first, end), column, context.width));
    first = end;
  }
  return aligned;
}

function continuesRun(line: Line | undefined, next: Line | undefined, text: string): boolean {
  if (line?.row === undefined || next?.row === undefined || line.row.kind !== next.row.kind) return false;
  return !isBlankBetween(line.trailing?.span.end ?? line.end, next.start, text);
}

function alignRun(lines: readonly Line[], column: number, width: number): Line[] {
  const widths: number[] = [];
  for (const { row } of lines) {
    row?.cells.slice(0, -1).forEach((cell, index) => {
      widths[index] = Math.max(widths[index] ?? 0, cell.length);
    });
  }
  const padded = lines.map(({ row }) => {
    if (row === undefined) return undefined;
    const last = row.cells.length - 1;
    const padding = (index: number): number => (index === last ? 0 : (widths[index] ?? 0));
    return rowText({ ...row, cells: row.cells.map((cell, index) => cell.padEnd(padding(index))) });
  });
  const fits = padded.every((text) => text === undefined || column + text.length <= width);
  return lines.map((line, index): Line => ({ ...line, doc: (fits ? padded[index] : undefined) ?? line.doc }));
}
