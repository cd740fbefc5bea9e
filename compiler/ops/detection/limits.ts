/** The best few of an axis that may have fewer: a number where the axis is known, else a minimum when the network runs. */
import { unknownSize, type Dim } from "../../ir/dim.js";
import type { Writer } from "../write.js";

/** The smaller of a number and the size of an axis, which decides how many there are to take. */
export function atMost(number: number, dim: Dim, name: string): Dim {
  return typeof dim === "number" ? Math.min(number, dim) : unknownSize(name, number);
}

/** The same as int64 [1]; `size` asks for the size of an axis that is not known. */
export function writeAtMost(w: Writer, number: number, dim: Dim, size: () => string): string {
  if (typeof dim === "number") return w.ints(Math.min(number, dim));
  return w.step("Min", [size(), w.ints(number)], "count");
}
