/** What makes a model of 8-bit numbers of one of fp32: ranges that were measured, and what stays in fp32. */
import type { Range } from "./scale.js";

/** How a model is written with 8-bit numbers. */
export interface Quantization {
  /** Of values between layers, by their names in the graph after batch norms are folded. */
  readonly ranges: ReadonlyMap<string, Range>;
  /** Paths of layers that stay in fp32: `conv1.conv`. */
  readonly kept: ReadonlySet<string>;
  /** Those of them whose weights are stored as 8-bit numbers all the same. */
  readonly stored: ReadonlySet<string>;
}
