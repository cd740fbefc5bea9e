/** Networks drawn as figure 3 of the paper draws them, side by side, as SVG text. */
import type { Model } from "../../compiler/model.js";
import { layout } from "./layout.js";
import { planColumn, type Column } from "./plan.js";
import { renderSvg } from "./svg.js";

/** How networks are drawn. */
export interface FigureOptions {
  /**
   * Draw equal blocks that follow each other once, with `×35` beside them. Default: where a network would have more
   * than 60 rows.
   */
  readonly collapse?: boolean;
  /** What stands above each network; default: their names. */
  readonly titles?: readonly string[];
}

/** Boxes that still read well on one page, those of branches included: ResNet-50 has 55, and the paper's figure 36. */
export const LONGEST = 60;

/**
 * Draws networks side by side.
 *
 * @returns SVG text
 */
export function figure(models: readonly Model[], options: FigureOptions = {}): string {
  const plan = (collapse: boolean): Column[] =>
    models.map((model, index) => {
      const column = planColumn(model, { collapse });
      return { ...column, title: options.titles?.[index] ?? column.title };
    });
  let columns = plan(options.collapse ?? false);
  if (options.collapse === undefined && columns.some((column) => boxes(column) > LONGEST)) columns = plan(true);
  return renderSvg(layout(columns), columns.map((column) => column.title).join(", "));
}

function boxes({ rows }: Column): number {
  return rows.reduce((count, row) => count + (row.kind === "fork" ? sumOf(row.branches.map(boxes)) : 1), 0);
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, each) => sum + each, 0);
}
