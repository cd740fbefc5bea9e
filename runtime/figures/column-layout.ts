/** Where the rows of a column stand, one below the other, with the curves past them. */
import type { Bracket, Curve, Drawing, Join, Line, PlacedBox, Text } from "./drawing.js";
import { levelOfRows } from "./levels.js";
import type { Arc, Column, Fork, Row } from "./plan.js";

export const BOX_HEIGHT = 22;
export const GAP = 13;
/** More room for every further shortcut that ends or begins in a gap. */
export const ARC_SLOT = 9;
export const BULGE = 34;
export const MARGIN = 24;
export const NOTES_WIDTH = 72;
export const TITLE_HEIGHT = 34;
export const INPUT_HEIGHT = 30;
export const COLUMN_GAP = 44;
export const BRACKET_WIDTH = 44;
export const BRANCH_GAP = 18;
/** Mean width of a character of the box text; a little wide, so that no label touches its box. */
export const CHARACTER = 6.4;
export const TITLE_CHARACTER = 8.6;
export const MERGE_HEIGHT = 30;

export class Sketch implements Omit<Drawing, "width" | "height"> {
  readonly titles: Text[] = [];
  readonly notes: Text[] = [];
  readonly boxes: PlacedBox[] = [];
  readonly lines: Line[] = [];
  readonly curves: Curve[] = [];
  readonly merges: Text[] = [];
  readonly joins: Join[] = [];
  readonly brackets: Bracket[] = [];
}

export function gapAfter(column: Column, index: number): number {
  const arcs = column.arcs.filter((arc) => arc.to === index || arc.from === index + 1);
  return GAP + ARC_SLOT * Math.max(0, arcs.length - 1);
}

export function rowHeight(row: Row, boxWidth: number): number {
  if (row.kind !== "fork") return BOX_HEIGHT;
  return Math.max(...row.branches.map((branch) => stackHeight(branch, boxWidth))) + 2 * GAP + MERGE_HEIGHT;
}

export function stackHeight(column: Column, boxWidth: number): number {
  return column.rows.reduce((total, row, index) => total + rowHeight(row, boxWidth) + gapAfter(column, index), 0);
}

export function columnWidth(column: Column, boxWidth: number): number {
  return Math.max(...column.rows.map((row) => rowWidth(row, boxWidth)), column.rows.length === 0 ? 20 : boxWidth);
}

export function rowWidth(row: Row, boxWidth: number): number {
  if (row.kind !== "fork") return boxWidth;
  return forkWidths(row, boxWidth).reduce((total, width) => total + width + BRANCH_GAP, -BRANCH_GAP);
}

export function forkWidths(fork: Fork, boxWidth: number): number[] {
  return fork.branches.map((branch) => columnWidth(branch, boxWidth) + Math.max(0, ...branch.arcs.map(arcBulge)));
}

export function arcBulge(arc: Arc): number {
  return BULGE * (arc.depth + 1) * 0.75;
}

/** `levels` aligns the rows; a branch of a fork, which has none, is a plain stack from its top. */
export function placeColumn(
  sketch: Sketch,
  column: Column,
  centre: number,
  boxWidth: number,
  tops: readonly number[],
  levels: readonly string[] | undefined,
): number {
  const starts = rowTops(column, boxWidth, tops, levels);
  column.rows.forEach((row, index) => placeRow(sketch, row, centre, starts[index]!, boxWidth));
  const ends = column.rows.map((row, index) => starts[index]! + rowHeight(row, boxWidth));

  if (column.input !== "" && starts.length > 0) {
    sketch.merges.push({ x: centre, y: starts[0]! - INPUT_HEIGHT + 4, text: column.input });
    sketch.lines.push({
      points: [
        [centre, starts[0]! - GAP - 4],
        [centre, starts[0]!],
      ],
      arrow: true,
    });
  }
  for (let index = 1; index < starts.length; index++) {
    sketch.lines.push({
      points: [
        [centre, ends[index - 1]!],
        [centre, starts[index]!],
      ],
      arrow: true,
    });
  }
  // Of shortcuts that share a gap the inner ones stand nearer to what they pass.
  const rank = (arc: Arc, shares: (other: Arc) => boolean): number =>
    column.arcs.filter((other) => shares(other) && other.depth < arc.depth).length;
  for (const arc of column.arcs) {
    const before = gapAround(starts, ends, arc.from);
    const after = gapAround(starts, ends, arc.to + 1);
    sketch.curves.push({
      x: centre,
      side: centre + columnWidth({ ...column, rows: column.rows.slice(arc.from, arc.to + 1) }, boxWidth) / 2,
      bulge: BULGE * (arc.depth + 1),
      top: before.bottom - 6 - ARC_SLOT * rank(arc, (other) => other.from === arc.from),
      bottom: after.top + 6 + ARC_SLOT * rank(arc, (other) => other.to === arc.to),
      arc,
    });
  }
  for (const repeat of column.repeats) {
    sketch.brackets.push({
      x: centre - boxWidth / 2 - 10,
      top: starts[repeat.from]! - 3,
      bottom: ends[repeat.to]! + 3,
      count: repeat.count,
    });
  }
  return (ends.at(-1) ?? tops[0]!) + (ends.length > 0 ? gapAfter(column, ends.length - 1) : 0);
}

/** The y of each row. */
export function rowTops(
  column: Column,
  boxWidth: number,
  tops: readonly number[],
  levels: readonly string[] | undefined,
): number[] {
  const level = levels === undefined ? column.rows.map(() => 0) : levelOfRows(column.rows, levels);
  const starts: number[] = [];
  let y = tops[level[0] ?? 0]!;
  column.rows.forEach((row, index) => {
    const top = tops[level[index]!]!;
    if (index > 0 && level[index] !== level[index - 1] && top > y) {
      // The slack goes before the block that changes the size, not into the middle of it.
      const begin = blockAround(column, index, level);
      for (let moved = begin; moved < index; moved++) starts[moved]! += top - y;
      y = top;
    }
    starts.push(y);
    y += rowHeight(row, boxWidth) + gapAfter(column, index);
  });
  return starts;
}

/** The first row of the outermost shortcut past row `index` that begins in the level before it; else the row itself. */
export function blockAround(column: Column, index: number, level: readonly number[]): number {
  const begins = column.arcs
    .filter((arc) => arc.from < index && arc.to >= index && level[arc.from] === level[index - 1])
    .map((arc) => arc.from);
  return Math.min(index, ...begins);
}

/** The space before row `index`. */
export function gapAround(
  starts: readonly number[],
  ends: readonly number[],
  index: number,
): { top: number; bottom: number } {
  const top = ends[index - 1] ?? starts[0]! - GAP - 4;
  return { top, bottom: starts[index] ?? top + GAP };
}

export function placeRow(sketch: Sketch, row: Row, centre: number, y: number, boxWidth: number): void {
  if (row.kind === "box") {
    sketch.boxes.push({ x: centre - boxWidth / 2, y, width: boxWidth, height: BOX_HEIGHT, box: row });
    return;
  }
  if (row.kind === "merge") {
    sketch.joins.push({ x: centre, y: y + BOX_HEIGHT / 2, text: row.merge, path: row.path });
    return;
  }
  const widths = forkWidths(row, boxWidth);
  const bottom = y + rowHeight(row, boxWidth);
  const join = bottom - MERGE_HEIGHT;
  let left = centre - rowWidth(row, boxWidth) / 2;
  row.branches.forEach((branch, index) => {
    const own = columnWidth(branch, boxWidth);
    const x = left + own / 2;
    const first = y + GAP;
    const end = placeColumn(sketch, branch, x, boxWidth, [first], undefined);
    const empty = branch.rows.length === 0;
    sketch.lines.push({
      points: [
        [centre, y],
        [x, y],
        [x, empty ? join : first],
      ],
      arrow: !empty,
    });
    const last = empty ? join : end - gapAfter(branch, branch.rows.length - 1);
    sketch.lines.push({
      points: [
        [x, last],
        [x, join],
        [centre, join],
      ],
      arrow: false,
    });
    left += widths[index]! + BRANCH_GAP;
  });
  sketch.lines.push({
    points: [
      [centre, join],
      [centre, join + 7],
    ],
    arrow: true,
  });
  sketch.merges.push({ x: centre, y: join + MERGE_HEIGHT / 2 + 4, text: row.merge });
}
