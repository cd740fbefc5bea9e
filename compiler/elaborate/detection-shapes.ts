/** What detection layers ask of the shapes that they are given; a ShapeError says what is needed, and what came. */
import type { Dialect } from "../detection/dialect.js";
import type { Judged } from "../detection/regress.js";
import { formatShape } from "../ir/dim.js";
import type * as ir from "../ir/types.js";
import { ShapeError } from "../ops/operator.js";

export function requireAsMany(what: string, count: number, other: string, wanted: number): void {
  if (count !== wanted) throw new ShapeError(`${count} ${what} for ${wanted} ${other}: as many are needed`);
}

export function requireRegions(regions: ir.Value, word: string): void {
  const { shape } = regions.type;
  if (shape.length === 2 && shape[1] === 5) return;
  throw new ShapeError(
    `${word} needs regions [R, 5], got ${formatShape(shape)}`,
    "`propose` gives them, as in `roi_align features, 14x14 on regions`",
  );
}

export function requireAnchors(objectness: ir.Value, deltas: ir.Value, anchors: number, dialect: Dialect): void {
  const channels = anchors * (dialect.objectness === "softmax" ? 2 : 1);
  const check = (map: ir.Value, wanted: number, what: string): void => {
    const given = map.type.shape[1];
    if (map.type.shape.length === 4 && given === wanted) return;
    throw new ShapeError(
      `propose: the ${what} of ${anchors} anchors a place need ${wanted} channels, got ${formatShape(map.type.shape)}`,
      "there is an anchor for each size and ratio",
    );
  };
  check(objectness, channels, `${dialect.objectness} objectness`);
  check(deltas, 4 * anchors, "deltas");
}

export function requireHead({ scores, deltas }: Judged, background: Dialect["background"] | "none"): void {
  const all = scores.type.shape[1];
  if (scores.type.shape.length !== 2 || typeof all !== "number") {
    throw new ShapeError(`scores must be [R, classes], not ${formatShape(scores.type.shape)}`, "`fc` gives them");
  }
  const classes = background === "none" ? all : all - 1;
  if (classes < 1)
    throw new ShapeError(`scores ${formatShape(scores.type.shape)} leave no class beside the background`);
  if (!deltas) return;
  const given = deltas.type.shape[1];
  if (deltas.type.shape.length === 2 && (given === 4 * classes || given === 4 * all)) return;
  throw new ShapeError(
    `${classes} classes need deltas [R, ${4 * classes}] (or ${4 * all} with the background's), not ${formatShape(deltas.type.shape)}`,
  );
}
