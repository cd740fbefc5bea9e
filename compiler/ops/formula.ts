/** Gradient rules written as formulas: the operators of compiler/ops/tensor/ as functions of values. */
import type { Dim } from "../ir/dim.js";
import type { Attributes, Value } from "../ir/types.js";
import type { GraphBuilder } from "./operator.js";

export interface Formula {
  /** The first output of any operator. */
  apply(op: string, inputs: readonly Value[], attributes?: Attributes): Value;
  plus(a: Value, b: Value): Value;
  minus(a: Value, b: Value): Value;
  times(a: Value, b: Value): Value;
  over(a: Value, b: Value): Value;
  /** 1 where a < b, else 0. */
  less(a: Value, b: Value): Value;
  /** scale * x + offset */
  affine(x: Value, scale: number, offset?: number): Value;
  /** 1 where x > 0, else 0. */
  positive(x: Value): Value;
  /** 1 - x */
  complement(x: Value): Value;
  sigmoid(x: Value): Value;
  exp(x: Value): Value;
  erf(x: Value): Value;
  sqrt(x: Value): Value;
  power(x: Value, exponent: number): Value;
  sum(x: Value, axes: readonly number[], keep?: boolean): Value;
  mean(x: Value, axes: readonly number[], keep?: boolean): Value;
  largest(x: Value, axes: readonly number[], keep?: boolean): Value;
  /** [N, C, ...] to [C] */
  channelSum(x: Value): Value;
  matmul(a: Value, b: Value, transposed?: { readonly left?: boolean; readonly right?: boolean }): Value;
  reshape(x: Value, shape: readonly number[]): Value;
  expand(x: Value, shape: readonly number[]): Value;
  transpose(x: Value, order: readonly number[]): Value;
  /** A sum over the axes along which a tensor of this shape was stretched. */
  sumTo(x: Value, shape: readonly Dim[]): Value;
  /** [C] as [1, C, 1, 1], to broadcast over a map of this rank. */
  perChannel(x: Value, rank: number): Value;
}

export function formula(builder: GraphBuilder): Formula {
  const one = (op: string, inputs: readonly Value[], attributes: Attributes = {}): Value =>
    builder.apply(op, inputs, attributes)[0]!;
  const reduce =
    (op: string) =>
    (x: Value, axes: readonly number[], keep = false) =>
      one(op, [x], { axes, keep });
  const self: Formula = {
    apply: one,
    plus: (a, b) => one("plus", [a, b]),
    minus: (a, b) => one("minus", [a, b]),
    times: (a, b) => one("times", [a, b]),
    over: (a, b) => one("over", [a, b]),
    less: (a, b) => one("less", [a, b]),
    affine: (x, scale, offset = 0) => one("affine", [x], { scale, offset }),
    positive: (x) => one("positive", [x]),
    complement: (x) => one("affine", [x], { scale: -1, offset: 1 }),
    sigmoid: (x) => one("sigmoid", [x]),
    exp: (x) => one("exp", [x]),
    erf: (x) => one("erf", [x]),
    sqrt: (x) => one("sqrt", [x]),
    power: (x, exponent) => one("power", [x], { exponent }),
    sum: reduce("sum"),
    mean: reduce("mean"),
    largest: reduce("largest"),
    channelSum: (x) => one("channel_sum", [x]),
    matmul: (a, b, { left = false, right = false } = {}) => one("matmul", [a, b], { left, right }),
    reshape: (x, shape) => one("reshape", [x], { shape }),
    expand: (x, shape) => one("expand", [x], { shape }),
    transpose: (x, order) => one("transpose", [x], { order }),
    sumTo(x, shape) {
      const given = x.type.shape;
      const axes = shape.flatMap((dim, axis) => (dim === 1 && given[axis] !== 1 ? [axis] : []));
      return axes.length === 0 ? x : self.sum(x, axes, true);
    },
    perChannel: (x, rank) =>
      self.reshape(x, [1, x.type.shape[0] as number, ...Array.from({ length: rank - 2 }, () => 1)]),
  };
  return self;
}

/** A shape whose sizes are all known: those of training graphs are. */
export function sizes(value: Value): readonly number[] {
  return value.type.shape.map((dim) => {
    if (typeof dim === "number") return dim;
    throw new RangeError(`${value.name}: a gradient needs sizes that are known when compiling`);
  });
}

export function elements(value: Value): number {
  return sizes(value).reduce((product, dim) => product * dim, 1);
}
