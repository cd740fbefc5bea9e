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

/** What a detector knows of its images. */
export interface Images {
  /** [N, 3, H, W], the network's input. */
  readonly image: Value;
  /** [N, 6]: height and width in the input, height and width of the original, scale in y and in x. */
  readonly info: Value;
}

/**
 * For each of some rows what is known of its image, y and x: [R, 1, 2] of regions, to broadcast over their classes,
 * [D, 2] of picks.
 */
export function ofImages(what: "size" | "original" | "scale", { info }: Images, rows: Value, one: One): Value {
  const apart = rows.type.dtype !== "int64";
  return one("rows_of_image", [one("image_values", [info], { what, apart }), rows]);
}

/** Regions, or values of regions, one group after the other. */
export function joined(values: readonly Value[], one: One, axis = 0): Value {
  return values.length === 1 ? values[0]! : one("concat_rows", values, { axis });
}
