/** What the compositions of this folder are written with. */
import type { Attributes, Value } from "../ir/types.js";

/** Appends an operation to the graph and gives its outputs. */
export type Build = (op: string, inputs: readonly Value[], attributes?: Attributes) => readonly Value[];

/** The first output of one. */
export type One = (op: string, inputs: readonly Value[], attributes?: Attributes) => Value;

export const first =
  (build: Build): One =>
  (op, inputs, attributes) =>
    build(op, inputs, attributes)[0]!;

/** What a detector knows of its pictures. */
export interface Pictures {
  /** [N, 3, H, W], the network's input. */
  readonly image: Value;
  /** [N, 6]: height and width in the input, height and width of the original, scale in y and in x. */
  readonly info: Value;
}

/** Regions, or values of regions, one group after the other. */
export function joined(values: readonly Value[], one: One, axis = 0): Value {
  return values.length === 1 ? values[0]! : one("join_rows", values, { axis });
}
