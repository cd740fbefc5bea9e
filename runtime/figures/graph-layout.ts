/**
 * A network that is no chain, drawn by its edges. Every row stands below all that it takes (its rank) in a lane of its
 * own or of what it goes on from. Lines run down in the gutters between lanes and across in the gaps between ranks,
 * where there are no boxes.
 */
import {
  arcBulge,
  ARC_SLOT,
  BOX_HEIGHT,
  BRACKET_WIDTH,
  BULGE,
  COLUMN_GAP,
  columnWidth,
  GAP,
  INPUT_HEIGHT,
  MARGIN,
  NOTES_WIDTH,
  placeRow,
  rowHeight,
  rowWidth,
  TITLE_CHARACTER,
  TITLE_HEIGHT,
  type Sketch,
} from "./column-layout.js";
import type { Column } from "./plan.js";

/** From one line to the next that runs beside it. */
const TRACK = 7;

/** Of a row: the rank and the lane that it stands in. */
interface Cell {
  readonly rank: number;
  readonly lane: number;
}

export function placeGraph(
  sketch: Sketch,
  column: Column,
  left: number,
  boxWidth: number,
): { readonly x: number; readonly y: number } {
  const { rows } = column;
  const cells = arrange(column);
  const edges = routesOf(column, cells);
  const lanes = Math.max(...cells.map(({ lane }) => lane)) + 1;
  const ranks = Math.max(...cells.map(({ rank }) => rank)) + 1;
  const gutters = tracksOf(edges, ({ gutter, down }) => gutter !== undefined && { line: gutter, ...down });

  // Lanes from the left: brackets, boxes, curves past them, and the lines of the gutter.
  const centres: number[] = [];
  const gutterStarts: number[] = [];
  let x = left + NOTES_WIDTH;
  for (let lane = 0; lane < lanes; lane++) {
    const own = rows.map((_, row) => row).filter((row) => cells[row]!.lane === lane);
    if (column.repeats.some(({ from }) => cells[from]!.lane === lane)) x += BRACKET_WIDTH;
    const width = Math.max(boxWidth, ...own.map((row) => rowWidth(rows[row]!, boxWidth)));
    centres.push(x + width / 2);
    const arcs = column.arcs.filter(({ from }) => cells[from]!.lane === lane);
    x += width + Math.max(0, ...arcs.map(arcBulge)) + TRACK;
    gutterStarts.push(x);
    x += TRACK * (gutters.count(lane) + 1);
  }

  // Ranks from the top: gaps with their lines, and rows.
  const across = tracksOf(
    edges.flatMap((edge) =>
      acrossOf(edge, cells, centres, (each) => gutterStarts[each.gutter!]! + TRACK * gutters.track(each)),
    ),
    ({ gap, span }) => ({ line: gap, ...span }),
  );
  const tops: number[] = [];
  const gapTops: number[] = [];
  let y = MARGIN + TITLE_HEIGHT + INPUT_HEIGHT - GAP;
  for (let rank = 0; rank < ranks; rank++) {
    gapTops.push(y);
    const begins = column.arcs.filter(({ from }) => cells[from]!.rank === rank).length;
    const ends = column.arcs.filter(({ to }) => cells[to]!.rank === rank - 1).length;
    y += GAP + TRACK * across.count(rank) + ARC_SLOT * Math.max(0, begins - 1, ends - 1);
    tops.push(y);
    const own = rows.filter((_, row) => cells[row]!.rank === rank);
    y += Math.max(BOX_HEIGHT, ...own.map((row) => rowHeight(row, boxWidth)));
  }

  const at = (row: number): { readonly centre: number; readonly top: number; readonly bottom: number } => {
    const { rank, lane } = cells[row]!;
    const top = tops[rank]!;
    return { centre: centres[lane]!, top, bottom: top + rowHeight(rows[row]!, boxWidth) };
  };
  const yOf = (gap: number, track: number): number => gapTops[gap]! + 6 + TRACK * track;

  const title = Math.max(column.title.length * TITLE_CHARACTER, x - left - NOTES_WIDTH);
  sketch.titles.push({ x: centres[0]!, y: MARGIN + 14, text: column.title });
  sketch.merges.push({ x: centres[0]!, y: tops[0]! - GAP - 10, text: column.input });
  rows.forEach((row, index) => {
    const { centre, top } = at(index);
    placeRow(sketch, row, centre, top, boxWidth);
    if (
      cells[index]!.lane === 0 &&
      row.size !== rows.slice(0, index).findLast((_, before) => cells[before]!.lane === 0)?.size
    ) {
      sketch.notes.push({ x: left, y: top + BOX_HEIGHT / 2, text: row.size });
    }
  });
  const placed = new Map(across.items.map((each) => [each, across.track(each)]));
  for (const edge of edges) {
    const target = at(edge.to);
    const [startX, startY] =
      edge.from < 0 ? [centres[0]!, tops[0]! - GAP - 4] : [at(edge.from).centre, at(edge.from).bottom];
    const points: [number, number][] = [[startX, startY]];
    for (const [part, track] of placed) {
      if (part.edge !== edge) continue;
      const level = yOf(part.gap, track);
      points.push([part.start, level], [part.stop, level]);
    }
    points.push([target.centre, target.top - (rows[edge.to]!.kind === "merge" ? -2 : 0)]);
    sketch.lines.push({ points, arrow: true });
  }
  for (const arc of column.arcs) {
    const rank = (shares: (other: typeof arc) => boolean): number =>
      column.arcs.filter((other) => shares(other) && other.depth < arc.depth).length;
    const passed = { ...column, rows: rows.slice(arc.from, arc.to + 1) };
    sketch.curves.push({
      x: at(arc.from).centre,
      side: at(arc.from).centre + columnWidth(passed, boxWidth) / 2,
      bulge: BULGE * (arc.depth + 1),
      top: at(arc.from).top - 6 - ARC_SLOT * rank((other) => other.from === arc.from),
      bottom: at(arc.to).bottom + 6 + ARC_SLOT * rank((other) => other.to === arc.to),
      arc,
    });
  }
  for (const { from, to, count } of column.repeats) {
    const edge = at(from).centre - boxWidth / 2 - 10;
    sketch.brackets.push({ x: edge, top: at(from).top - 3, bottom: at(to).bottom + 3, count });
  }
  return { x: Math.max(x, left + NOTES_WIDTH + title) + COLUMN_GAP, y };
}

/** A row goes on in the lane of what it takes where it is the first to do so, else in the next that is free. */
function arrange({ rows }: Column): readonly Cell[] {
  const cells: Cell[] = [];
  const isFree = (lane: number, first: number, last: number): boolean =>
    cells.every((cell) => cell.lane !== lane || cell.rank < first || cell.rank > last);
  rows.forEach(({ from }) => {
    const above = from.filter((each) => each >= 0).map((each) => cells[each]!);
    const rank = 1 + Math.max(-1, ...above.map((each) => each.rank));
    // What comes from furthest down is what goes on; a skip only joins it.
    const going = above.filter((each) => isFree(each.lane, each.rank + 1, rank)).sort((a, b) => b.rank - a.rank);
    let lane = going[0]?.lane ?? Math.max(0, ...above.map((each) => each.lane));
    if (going.length === 0) while (!isFree(lane, rank - 1, rank + 1)) lane += 1;
    cells.push({ rank, lane });
  });
  return cells;
}

/** An edge and the way it takes: straight down, across one gap, or across, down a gutter, and across. */
interface Route {
  readonly from: number;
  readonly to: number;
  /** To the right of the lane of this number. */
  readonly gutter?: number;
  /** Between which gaps it runs down there; lines from one row are one line. */
  readonly down: { readonly start: number; readonly end: number; readonly key: number };
}

function routesOf({ rows }: Column, cells: readonly Cell[]): readonly Route[] {
  const start: Cell = { rank: -1, lane: 0 };
  const isFree = (lane: number, after: number, before: number): boolean =>
    cells.every((cell) => cell.lane !== lane || cell.rank <= after || cell.rank >= before);
  return rows.flatMap(({ from }, to) =>
    from.map((each): Route => {
      const [source, target] = [each < 0 ? start : cells[each]!, cells[to]!];
      const down = { start: source.rank + 1, end: target.rank, key: each };
      const isStraight = source.lane === target.lane && isFree(source.lane, source.rank, target.rank);
      if (isStraight || target.rank === source.rank + 1) return { from: each, to, down };
      return { from: each, to, down, gutter: target.lane > source.lane ? target.lane - 1 : target.lane };
    }),
  );
}

/** A line across a gap. */
interface Across {
  readonly edge: Route;
  readonly gap: number;
  readonly start: number;
  readonly stop: number;
  readonly span: { readonly start: number; readonly end: number; readonly key: number };
}

function acrossOf(
  edge: Route,
  cells: readonly Cell[],
  centres: readonly number[],
  gutterX: (edge: Route) => number,
): readonly Across[] {
  const begin = edge.from < 0 ? centres[0]! : centres[cells[edge.from]!.lane]!;
  const end = centres[cells[edge.to]!.lane]!;
  const line = (gap: number, start: number, stop: number): Across => {
    return {
      edge,
      gap,
      start,
      stop,
      span: { start: Math.min(start, stop), end: Math.max(start, stop), key: edge.from },
    };
  };
  const { start, end: last } = edge.down;
  if (edge.gutter === undefined) return begin === end ? [] : [line(start, begin, end)];
  const middle = gutterX(edge);
  return [line(start, begin, middle), line(last, middle, end)];
}

interface Span {
  /** The gutter or gap. */
  readonly line: number;
  readonly start: number;
  readonly end: number;
  /** Spans of one key may lie on each other. */
  readonly key: number;
}

/** Tracks side by side for what runs along one line, so that nothing but what is the same lies on each other. */
function tracksOf<T>(items: readonly T[], spanOf: (item: T) => Span | false) {
  const tracks = new Map<T, number>();
  const used = new Map<number, Span[][]>();
  for (const item of items) {
    const span = spanOf(item);
    if (span === false) continue;
    const line = used.get(span.line) ?? [];
    used.set(span.line, line);
    const fits = (others: readonly Span[]): boolean =>
      others.every(({ start, end, key }) => key === span.key || end < span.start || start > span.end);
    let track = line.findIndex((others) => others.some(({ key }) => key === span.key) && fits(others));
    if (track < 0) track = line.findIndex(fits);
    if (track < 0) track = line.push([]) - 1;
    line[track]!.push(span);
    tracks.set(item, track);
  }
  return {
    items: [...tracks.keys()],
    track: (item: T): number => tracks.get(item) ?? 0,
    count: (line: number): number => used.get(line)?.length ?? 0,
  };
}
