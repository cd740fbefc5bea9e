/** The shapes that detection operators ask for, as their messages write them: `boxes [N, T, 4]`. */
import { formatShape, type Dim } from "../../ir/dim.js";
import type { TensorType } from "../../ir/types.js";
import { ShapeError } from "../operator.js";
import { known } from "../shapes.js";

/** A number is that size, a name any size, `...` at either end any axes. */
export type Form = readonly (number | string)[];

/**
 * The sizes of a tensor that has this form. A name that stands twice, in one form or in several of one call, is one
 * size: where two numbers differ, they do not fit. Throws a ShapeError that says what is needed and what came.
 */
export function forms(
  operator: string,
  wanted: Readonly<Record<string, Form>>,
  inputs: readonly TensorType[],
): readonly (readonly Dim[])[] {
  const sizes = new Map<string, Dim>();
  return Object.entries(wanted).map(([what, form], index) => {
    const { shape } = known(inputs[index]);
    const fits = (dim: Dim | undefined, size: number | string): boolean => {
      if (dim === undefined) return false;
      const expected = typeof size === "number" ? size : sizes.get(size);
      if (typeof size === "string" && typeof expected !== "number") sizes.set(size, dim);
      return typeof dim !== "number" || typeof expected !== "number" || dim === expected;
    };
    const stated = form.filter((size) => size !== "...");
    const others = shape.length - stated.length;
    const offset = form[0] === "..." ? others : 0;
    const rank = stated.length === form.length ? others === 0 : others >= 0;
    if (rank && stated.every((size, axis) => fits(shape[offset + axis], size))) return shape;
    throw new ShapeError(`${operator} needs ${what} [${form.join(", ")}], got ${formatShape(shape)}`);
  });
}

/** A size that has to be known when compiling: how many classes, how many channels. */
export function count(dim: Dim | undefined, operator: string, what: string): number {
  if (typeof dim === "number") return dim;
  throw new ShapeError(`${operator} needs a known number of ${what}`);
}

export function floats(...shape: readonly Dim[]): TensorType {
  return { dtype: "float32", shape };
}

export function integers(...shape: readonly Dim[]): TensorType {
  return { dtype: "int64", shape };
}
