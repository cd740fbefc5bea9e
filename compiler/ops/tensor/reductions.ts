/** Sums and maxima along axes, and products of matrices. */
import type { Dim } from "../../ir/dim.js";
import type { Attributes, Value } from "../../ir/types.js";
import { broadcastShape } from "./arithmetic.js";
import { formula, sizes, type Formula } from "../formula.js";
import { flag, int } from "../attributes.js";
import type { Lowering } from "../lowering.js";
import type { Node, Operator } from "../operator.js";
import { channelsOf, known, reshaped } from "../shapes.js";
import { ints } from "./shape.js";

function reducedShape(shape: readonly Dim[], attributes: Attributes): readonly Dim[] {
  const axes = new Set(ints(attributes, "axes"));
  if (flag(attributes, "keep")) return shape.map((dim, axis) => (axes.has(axis) ? 1 : dim));
  return shape.filter((_, axis) => !axes.has(axis));
}

/** What each of the `count` values of a sum gets, before it is repeated for all of them. */
type ReductionRule = (f: Formula, dy: Value, count: number) => Value;

/** ReduceSum took its axes as an input from opset 13 on, the others from 18 on. */
function lowerReduction(onnx: string): Operator["lower"] {
  return (node, emit) => {
    const axes = ints(node.attributes, "axes");
    const keepdims = flag(node.attributes, "keep") ? 1 : 0;
    const [x, y] = [emit.name(node.inputs[0]!), emit.name(node.outputs[0]!)];
    if (onnx === "ReduceSum" || emit.opset >= 18) {
      emit.node(onnx, [x, emit.constant(axes, "int64")], [y], { keepdims });
    } else {
      emit.node(onnx, [x], [y], { axes, keepdims });
    }
  };
}

function reduction(name: string, doc: string, onnx: string, rule?: ReductionRule): Operator {
  return {
    name,
    doc,
    fullPrecision: true,
    infer: ([x], attributes) => [reshaped(x, reducedShape(known(x).shape, attributes))],
    lower: lowerReduction(onnx),
    gradient(node, [dy], builder) {
      if (dy === undefined) return [];
      if (rule === undefined) throw new TypeError(`${node.path}: ${name} has no gradient`);
      const [f, shape] = [formula(builder), sizes(node.inputs[0]!)];
      const axes = new Set(ints(node.attributes, "axes"));
      const kept = f.reshape(
        dy,
        shape.map((size, axis) => (axes.has(axis) ? 1 : size)),
      );
      const count = shape.reduce((product, size, axis) => (axes.has(axis) ? product * size : product), 1);
      return [f.expand(rule(f, kept, count), shape)];
    },
  };
}

/** Sum over everything but the channels: [N, C, ...] to [C]. */
const channelSum: Operator = {
  name: "channel_sum",
  doc: "The sum of each channel.",
  fullPrecision: true,
  infer: ([x]) => [reshaped(x, [channelsOf(x, "channel_sum")])],
  lower(node, emit) {
    const x = node.inputs[0]!;
    writeChannelSum(emit.name(x), sizes(x), emit.name(node.outputs[0]!), emit, "sum");
  },
};

/** Along the map first, then along the batch: ONNX Runtime has fast loops for sums over neighbouring axes alone. */
export function writeChannelSum(x: string, shape: readonly number[], y: string, emit: Lowering, suffix: string): void {
  const [batch, channels, ...map] = shape;
  let current = x;
  if (map.length > 0) {
    const [flat, sums] = [emit.temporary(`${suffix}.flat`), emit.temporary(`${suffix}.images`)];
    const size = map.reduce((product, dim) => product * dim, 1);
    emit.node("Reshape", [x, emit.constant([batch!, channels!, size], "int64")], [flat]);
    emit.node("ReduceSum", [flat, emit.constant([2], "int64")], [sums], { keepdims: 0 });
    current = sums;
  }
  emit.node("ReduceSum", [current, emit.constant([0], "int64")], [y], { keepdims: 0 });
}

/** How the images' sums are averaged: by one more operator, or as a product with a row of factors, which WebGPU has a kernel for. */
export type ImageAverage = "mean" | "product";

/** What the images' averages are of: all values, or of each image the sum of its values or of their squares. */
export type Averaged = "values" | "sums" | "squares";

const MAP_REDUCTION: Readonly<Record<Averaged, string>> = {
  values: "ReduceMean",
  sums: "ReduceSum",
  squares: "ReduceSumSquare",
};

/**
 * An average of each channel, [N, C, ...] to [C], on a GPU: along the map's axes, of each image apart, so that there are as many
 * sums as a GPU needs to be busy; then over the images. No factor is left that would be an operator of its own.
 */
export function writeChannelAverage(
  x: string,
  shape: readonly number[],
  y: string,
  emit: Lowering,
  suffix: string,
  { images, of }: { readonly images: ImageAverage; readonly of: Averaged },
): void {
  const [batch, channels, ...map] = shape as readonly [number, number, ...number[]];
  let current = x;
  const reduce = (onnx: string, axes: readonly number[], output: string): void => {
    // ReduceSum took its axes as an input from opset 13 on, the others from 18 on.
    const asInput = onnx === "ReduceSum" || emit.opset >= 18;
    const inputs = asInput ? [current, emit.constant(axes, "int64")] : [current];
    emit.node(onnx, inputs, [output], { ...(!asInput && { axes }), keepdims: 0 });
    current = output;
  };
  if (map.length > 0) {
    reduce(
      MAP_REDUCTION[of],
      map.map((_, axis) => axis + 2),
      emit.temporary(`${suffix}.images`),
    );
  } else if (of === "squares") {
    const squares = emit.temporary(`${suffix}.squares`);
    emit.node("Mul", [current, current], [squares]);
    current = squares;
  }
  if (images === "mean") return reduce("ReduceMean", [0], y);
  const row = emit.temporary(`${suffix}.row`);
  emit.node("MatMul", [emit.constant(Array<number>(batch).fill(1 / batch), "float32", [1, batch]), current], [row]);
  emit.node("Reshape", [row, emit.constant([channels], "int64")], [y]);
}

/** Products of matrices, the last two axes; axes before them broadcast. `left` and `right`: transposed first. */
const matmul: Operator = {
  name: "matmul",
  doc: "Product of matrices, either transposed first.",
  infer([a, b], attributes) {
    const transposed = (shape: readonly Dim[], turn: boolean): readonly Dim[] =>
      turn ? [...shape.slice(0, -2), shape.at(-1)!, shape.at(-2)!] : shape;
    const left = transposed(known(a).shape, flag(attributes, "left"));
    const right = transposed(known(b).shape, flag(attributes, "right"));
    const batch = broadcastShape(left.slice(0, -2), right.slice(0, -2), "matmul");
    return [reshaped(a, [...batch, left.at(-2)!, right.at(-1)!])];
  },
  gradient(node, [dy], builder) {
    if (dy === undefined) return [];
    const f = formula(builder);
    const [a, b] = node.inputs as readonly [Value, Value];
    const [left, right] = [flag(node.attributes, "left"), flag(node.attributes, "right")];
    const da = left ? f.matmul(b, dy, { left: right, right: true }) : f.matmul(dy, b, { right: !right });
    const db = right ? f.matmul(dy, a, { left: true, right: left }) : f.matmul(a, dy, { left: !left });
    return [f.sumTo(da, a.type.shape), f.sumTo(db, b.type.shape)];
  },
  lower(node, emit) {
    const turn = (index: number, name: string): string => {
      const x = node.inputs[index]!;
      if (!flag(node.attributes, name)) return emit.name(x);
      const rank = x.type.shape.length;
      const perm = Array.from({ length: rank }, (_, axis) => axis);
      [perm[rank - 1], perm[rank - 2]] = [rank - 2, rank - 1];
      const transposed = emit.temporary(name);
      emit.node("Transpose", [emit.name(x)], [transposed], { perm });
      return transposed;
    };
    if (node.inputs.every((input) => input.type.shape.length === 2)) {
      const transposes = {
        transA: flag(node.attributes, "left") ? 1 : 0,
        transB: flag(node.attributes, "right") ? 1 : 0,
      };
      const inputs = node.inputs.map((input) => emit.name(input));
      emit.node("Gemm", inputs, [emit.name(node.outputs[0]!)], transposes);
    } else {
      emit.node("MatMul", [turn(0, "left"), turn(1, "right")], [emit.name(node.outputs[0]!)]);
    }
  },
};

/** Sum of all values before and at each along one axis. */
const cumulativeSum: Operator = {
  name: "cumulative_sum",
  doc: "Each value plus those before it along an axis.",
  infer: ([x]) => [known(x)],
  lower(node: Node, emit: Lowering) {
    const axis = emit.constant([int(node.attributes, "axis")], "int64", []);
    emit.node("CumSum", [emit.name(node.inputs[0]!), axis], [emit.name(node.outputs[0]!)]);
  },
};

export const REDUCTIONS: readonly Operator[] = [
  reduction("sum", "The sum along some axes.", "ReduceSum", (_f, dy) => dy),
  reduction("mean", "The average along some axes.", "ReduceMean", (f, dy, count) => f.affine(dy, 1 / count)),
  reduction("largest", "The maximum along some axes.", "ReduceMax"),
  channelSum,
  matmul,
  cumulativeSum,
];
