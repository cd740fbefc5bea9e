/** What every kind of place that samples come from gives. */
import type { LazyImage } from "../images/transforms/pipeline.js";

/** The part of the data that a sample is of. */
export type SplitName = "train" | "validation" | "test" | "all";

/** A kind of place that samples come from. */
export interface Reader<R> {
  /** Throws an ImageError where there is no image that can be used. */
  readonly open: (reference: R) => LazyImage | Promise<LazyImage>;
  /** For messages. */
  readonly describe: (reference: R) => string;
}
