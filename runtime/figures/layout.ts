/** Where everything stands: from planned columns to a drawing. */
import {
  BOX_HEIGHT,
  BRACKET_WIDTH,
  CHARACTER,
  COLUMN_GAP,
  INPUT_HEIGHT,
  MARGIN,
  NOTES_WIDTH,
  Sketch,
  TITLE_CHARACTER,
  TITLE_HEIGHT,
  arcBulge,
  columnWidth,
  gapAfter,
  placeColumn,
  rowHeight,
} from "./column-layout.js";
import type { Drawing } from "./drawing.js";
import { placeGraph } from "./graph-layout.js";
import { alignable, commonOrder, levelOfRows, sizesOf } from "./levels.js";
import type { Box, Column } from "./plan.js";

export function layout(columns: readonly Column[]): Drawing {
  const sketch = new Sketch();
  const boxWidth = Math.max(104, ...columns.flatMap(boxesOf).map((box) => box.label.length * CHARACTER + 18));
  let x = MARGIN;
  let bottom = 0;
  for (const group of alignable(columns)) {
    const [column] = group;
    const end = column!.isChain ? placeGroup(sketch, group, x, boxWidth) : placeGraph(sketch, column!, x, boxWidth);
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

function boxesOf(column: Column): Box[] {
  return column.rows.flatMap((row) =>
    row.kind === "box" ? [row] : row.kind === "fork" ? row.branches.flatMap(boxesOf) : [],
  );
}
