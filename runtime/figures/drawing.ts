/** A drawing before it is written: rectangles, lines and curves, in SVG units from the top left. */
import type { Arc, Box } from "./plan.js";

export interface Drawing {
  readonly width: number;
  readonly height: number;
  readonly titles: readonly Text[];
  readonly notes: readonly Text[];
  readonly boxes: readonly PlacedBox[];
  readonly lines: readonly Line[];
  readonly curves: readonly Curve[];
  readonly merges: readonly Text[];
  readonly joins: readonly Join[];
  readonly brackets: readonly Bracket[];
}

export interface Text {
  readonly x: number;
  readonly y: number;
  readonly text: string;
}

/** A merge, by the middle of its outline. */
export interface Join extends Text {
  readonly path: string;
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
