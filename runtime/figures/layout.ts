/** Where everything stands: from planned columns to rectangles, lines and curves, in SVG units from the top left. */
import { alignable, commonOrder, levelOfRows, sizesOf } from "./levels.js";
import type { Arc, Box, Column, Fork, Row } from "./plan.js";

export interface Drawing {
  readonly width: number;
  readonly height: number;
  readonly titles: readonly Text[];
  readonly notes: readonly Text[];
  readonly boxes: readonly PlacedBox[];
  readonly lines: readonly Line[];
  readonly curves: readonly Curve[];
  readonly merges: readonly Text[];
  readonly brackets: readonly Bracket[];
}

export interface Text {
  readonly x: number;
  readonly y: number;
  readonly text: string;
}

export interface PlacedBox {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly box: Box;
}

/** From one point to another; `arrow` where it ends in an arrowhead. */
export interface Line {
  readonly points: readonly (readonly [x: number, y: number])[];
  readonly arrow: boolean;
}

export interface Curve {
  /** The trunk, the side of the boxes, and how far the curve bulges out from there. */
  readonly x: number;
  readonly side: number;
  readonly bulge: number;
  readonly top: number;
  readonly bottom: number;
  readonly arc: Arc;
}

/** A brace at the left of the rows that are repeated. */
export interface Bracket {
  readonly x: number;
  readonly top: number;
  readonly bottom: number;
  readonly count: number;
}

const BOX_HEIGHT = 22;
const GAP = 13;
/** More room for every further shortcut that ends or begins in a gap. */
const ARC_SLOT = 9;
const BULGE = 34;
const MARGIN = 24;
const NOTES_WIDTH = 72;
const TITLE_HEIGHT = 34;
const INPUT_HEIGHT = 30;
const COLUMN_GAP = 44;
const BRACKET_WIDTH = 44;
const BRANCH_GAP = 18;
/** Mean width of a character of the box text; a little wide, so that no label touches its box. */
const CHARACTER = 6.4;
const TITLE_CHARACTER = 8.6;
const MERGE_HEIGHT = 30;

export function layout(columns: readonly Column[]): Drawing {
  const sketch = new Sketch();
  const boxWidth = Math.max(104, ...columns.flatMap(boxesOf).map((box) => box.label.length * CHARACTER + 18));
  let x = MARGIN;
  let bottom = 0;
  for (const group of alignable(columns)) {
    const end = placeGroup(sketch, group, x, boxWidth);
    x = end.x;
    bottom = Math.max(bottom, end.y);
  }
  return { ...sketch, width: x - COLUMN_GAP + MARGIN, height: bottom + MARGIN };
}

/** Columns whose equal output sizes stand level, with the sizes noted at their left. */
function placeGroup(
  sketch: Sketch,
  columns: readonly Column[],
  left: number,
  boxWidth: number,
): { x: number; y: number } {
  const levels = commonOrder(columns.map((column) => sizesOf(column.rows)));
  const tops = levelTops(columns, levels, boxWidth);
  levels.forEach((size, level) => sketch.notes.push({ x: left, y: tops[level]! + BOX_HEIGHT / 2, text: size }));
  let x = left + NOTES_WIDTH;
  for (const column of columns) {
    const width = Math.max(columnWidth(column, boxWidth), column.title.length * TITLE_CHARACTER);
    const start = x + (column.repeats.length > 0 ? BRACKET_WIDTH : 0);
    const centre = start + width / 2;
    sketch.titles.push({ x: centre, y: MARGIN + 14, text: column.title });
    placeColumn(sketch, column, centre, boxWidth, tops, levels);
    x = start + width + Math.max(0, ...column.arcs.map(arcBulge)) + COLUMN_GAP;
  }
  return { x, y: tops[levels.length]! };
}

class Sketch {
  readonly titles: Text[] = [];
  readonly notes: Text[] = [];
  readonly boxes: PlacedBox[] = [];
  readonly lines: Line[] = [];
  readonly curves: Curve[] = [];
  readonly merges: Text[] = [];
  readonly brackets: Bracket[] = [];
}

/** The y of the first row of each level, and last the y where everything ends. */
function levelTops(columns: readonly Column[], levels: readonly string[], boxWidth: number): number[] {
  const tops = new Array<number>(levels.length + 1).fill(MARGIN + TITLE_HEIGHT + INPUT_HEIGHT);
  const placed = columns.map((column) => ({ column, level: levelOfRows(column.rows, levels) }));
  for (let level = 0; level < levels.length; level++) {
    let bottom = tops[level]!;
    for (const { column, level: rowLevel } of placed) {
      let y = tops[level]!;
      column.rows.forEach((row, index) => {
        if (rowLevel[index] !== level) return;
        y += rowHeight(row, boxWidth) + gapAfter(column, index);
      });
      bottom = Math.max(bottom, y);
    }
    for (let later = level + 1; later <= levels.length; later++) tops[later] = bottom;
  }
  return tops;
}

function gapAfter(column: Column, index: number): number {
  const arcs = column.arcs.filter((arc) => arc.to === index || arc.from === index + 1);
  return GAP + ARC_SLOT * Math.max(0, arcs.length - 1);
}

function rowHeight(row: Row, boxWidth: number): number {
  if (row.kind === "box") return BOX_HEIGHT;
  return Math.max(...row.branches.map((branch) => stackHeight(branch, boxWidth))) + 2 * GAP + MERGE_HEIGHT;
}

function stackHeight(column: Column, boxWidth: number): number {
  return column.rows.reduce((total, row, index) => total + rowHeight(row, boxWidth) + gapAfter(column, index), 0);
}

function columnWidth(column: Column, boxWidth: number): number {
  return Math.max(...column.rows.map((row) => rowWidth(row, boxWidth)), column.rows.length === 0 ? 20 : boxWidth);
}

function rowWidth(row: Row, boxWidth: number): number {
  if (row.kind === "box") return boxWidth;
  return forkWidths(row, boxWidth).reduce((total, width) => total + width + BRANCH_GAP, -BRANCH_GAP);
}

function forkWidths(fork: Fork, boxWidth: number): number[] {
  return fork.branches.map((branch) => columnWidth(branch, boxWidth) + Math.max(0, ...branch.arcs.map(arcBulge)));
}

function arcBulge(arc: Arc): number {
  return BULGE * (arc.depth + 1) * 0.75;
}

/** `levels` aligns the rows; a branch of a fork, which has none, is a plain stack from its top. */
function placeColumn(
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
function rowTops(
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
function blockAround(column: Column, index: number, level: readonly number[]): number {
  const begins = column.arcs
    .filter((arc) => arc.from < index && arc.to >= index && level[arc.from] === level[index - 1])
    .map((arc) => arc.from);
  return Math.min(index, ...begins);
}

/** The space before row `index`. */
function gapAround(starts: readonly number[], ends: readonly number[], index: number): { top: number; bottom: number } {
  const top = ends[index - 1] ?? starts[0]! - GAP - 4;
  return { top, bottom: starts[index] ?? top + GAP };
}

function placeRow(sketch: Sketch, row: Row, centre: number, y: number, boxWidth: number): void {
  if (row.kind === "box") {
    sketch.boxes.push({ x: centre - boxWidth / 2, y, width: boxWidth, height: BOX_HEIGHT, box: row });
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

function boxesOf(column: Column): Box[] {
  return column.rows.flatMap((row) => (row.kind === "box" ? [row] : row.branches.flatMap(boxesOf)));
}
