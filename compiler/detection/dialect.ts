/**
 * A `dialect` declaration: which of the field's incompatible conventions a detector follows. Plain data; the standard
 * library's dialects say each of them for one code base, to the letter.
 */
export interface Dialect {
  readonly name: string;
  /** A box ends with its last pixel: it is x2 - x1 + 1 wide and is clipped to width - 1. */
  readonly inclusive: boolean;
  /** A decoded box's x2 is its last pixel too: centre + width / 2 - 1. */
  readonly lastPixel: boolean;
  /** Of the deltas of regions: they are divided by these four (the inverse standard deviations of the targets). */
  readonly regionWeights: readonly number[];
  /** The largest logarithm of a size that is believed; 0: any. */
  readonly clamp: number;
  readonly anchors: {
    /** Of width and height: none; of the corners; or of a base of 16 pixels, which is then enlarged. */
    readonly rounding: "none" | "corners" | "base";
    /** What changes last among the anchors of a place. */
    readonly order: "by_ratio" | "by_size";
    /** Between places: the feature stride, or the whole pixels that the grid leaves for each. */
    readonly step: "fixed" | "grid";
  };
  /** Two channels an anchor, the background's first, or one. */
  readonly objectness: "softmax" | "sigmoid";
  readonly proposals: {
    /** The best are chosen before they are decoded, clipped and rid of small ones, or after. */
    readonly rank: "before" | "after";
    /** In pixels of the input, or of the original image where `scaled`. */
    readonly minSize: number;
    readonly scaled: boolean;
    /** A box of just that size is too small. */
    readonly strict: boolean;
  };
  readonly background: "first" | "last";
  readonly detections: {
    /** Boxes are regressed, clipped and suppressed in pixels of the network's input or of the original image. */
    readonly coordinates: "input" | "image";
    /** Scores up to this are left out. */
    readonly threshold: number;
    /** Boxes smaller than this are left out before suppression; 0: none. */
    readonly minSize: number;
    /** Boxes are clipped to the original image in the end, and what is empty then is left out. */
    readonly clip: boolean;
    /** All boxes with the score of the last that is kept stay. */
    readonly ties: boolean;
  };
}
