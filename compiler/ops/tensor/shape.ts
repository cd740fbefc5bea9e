/** Operators that move values without computing. */
import { add, formatShape, type Dim } from "../../ir/dim.js";
import type { Attributes, Value } from "../../ir/types.js";
import { onnxType } from "../../ir/dtype.js";
import { formula, sizes } from "../formula.js";
import { ShapeError, type Operator } from "../operator.js";
import { known, reshaped } from "../shapes.js";

/** A list of whole numbers among the attributes. */
export function ints(attributes: Attributes, name: string): readonly number[] {
  const value = attributes[name];
  if (Array.isArray(value) && value.every((each) => typeof each === "number")) return value;
  throw new TypeError(`attribute ${name} should be numbers, is ${JSON.stringify(value)}`);
}

function count(shape: readonly Dim[]): number | undefined {
  return shape.every((dim) => typeof dim === "number")
    ? shape.reduce<number>((product, dim) => product * dim, 1)
    : undefined;
}

const reshape: Operator = {
  name: "reshape",
  doc: "The same values in the same order in another shape.",
  infer([x], attributes) {
    const shape = ints(attributes, "shape");
    if (count(known(x).shape) !== count(shape)) {
      throw new ShapeError(`reshape: ${formatShape(known(x).shape)} does not fit into ${formatShape(shape)}`);
    }
    return [reshaped(x, shape)];
  },
  gradient: (node, [dy], builder) => (dy === undefined ? [] : [formula(builder).reshape(dy, sizes(node.inputs[0]!))]),
  lower(node, emit) {
    const shape = emit.constant(ints(node.attributes, "shape"), "int64");
    emit.node("Reshape", [emit.name(node.inputs[0]!), shape], [emit.name(node.outputs[0]!)]);
  },
};

const expand: Operator = {
  name: "expand",
  doc: "Repeated along the axes of size 1 to fill a shape.",
  infer: ([x], attributes) => [reshaped(x, ints(attributes, "shape"))],
  gradient: (node, [dy], builder) => (dy === undefined ? [] : [formula(builder).sumTo(dy, node.inputs[0]!.type.shape)]),
  lower(node, emit) {
    const shape = emit.constant(ints(node.attributes, "shape"), "int64");
    emit.node("Expand", [emit.name(node.inputs[0]!), shape], [emit.name(node.outputs[0]!)]);
  },
};

const transpose: Operator = {
  name: "transpose",
  doc: "Axes in another order.",
  infer: ([x], attributes) => [
    reshaped(
      x,
      ints(attributes, "order").map((axis) => known(x).shape[axis]!),
    ),
  ],
  gradient(node, [dy], builder) {
    if (dy === undefined) return [];
    const order = ints(node.attributes, "order");
    return [
      formula(builder).transpose(
        dy,
        order.map((_, axis) => order.indexOf(axis)),
      ),
    ];
  },
  lower(node, emit) {
    const perm = ints(node.attributes, "order");
    emit.node("Transpose", [emit.name(node.inputs[0]!)], [emit.name(node.outputs[0]!)], { perm });
  },
};

/** Zeros before and after along every axis; negative numbers cut off. */
const padAxes: Operator = {
  name: "pad_axes",
  doc: "Zeros before and after each axis.",
  infer([x], attributes) {
    const [before, after] = [ints(attributes, "before"), ints(attributes, "after")];
    return [
      reshaped(
        x,
        known(x).shape.map((dim, axis) => add(dim, before[axis]! + after[axis]!)),
      ),
    ];
  },
  lower(node, emit) {
    const pads = emit.constant([...ints(node.attributes, "before"), ...ints(node.attributes, "after")], "int64");
    emit.node("Pad", [emit.name(node.inputs[0]!), pads], [emit.name(node.outputs[0]!)], { mode: "constant" });
  },
};

/** From `from` up to `to` along the axes. */
const slice: Operator = {
  name: "slice",
  doc: "A part of a tensor: along each of some axes, from one index up to another.",
  infer([x], attributes) {
    const [axes, from, to] = [ints(attributes, "axes"), ints(attributes, "from"), ints(attributes, "to")];
    const shape = [...known(x).shape];
    axes.forEach((axis, index) => (shape[axis] = to[index]! - from[index]!));
    return [reshaped(x, shape)];
  },
  gradient(node, [dy], builder) {
    if (dy === undefined) return [];
    const [before, after] = [sizes(node.inputs[0]!).map(() => 0), sizes(node.inputs[0]!).map(() => 0)];
    const [from, to] = [ints(node.attributes, "from"), ints(node.attributes, "to")];
    ints(node.attributes, "axes").forEach((axis, index) => {
      before[axis] = from[index]!;
      after[axis] = sizes(node.inputs[0]!)[axis]! - to[index]!;
    });
    return builder.apply("pad_axes", [dy], { before, after });
  },
  lower(node, emit) {
    const part = (name: string): string => emit.constant(ints(node.attributes, name), "int64");
    const inputs = [emit.name(node.inputs[0]!), part("from"), part("to"), part("axes")];
    emit.node("Slice", inputs, [emit.name(node.outputs[0]!)]);
  },
};

/**
 * x, but not before `moment`, which has nothing else to do with it: 0 times one value of it is added, a dependence that
 * no optimiser of ONNX Runtime sees through.
 */
const after: Operator = {
  name: "after",
  doc: "The first input, not before the second is there.",
  infer: ([x]) => [known(x)],
  lower(node, emit) {
    const [x, moment] = node.inputs as readonly [Value, Value];
    const vector = (size: number, value: number): string =>
      emit.constant(
        Array.from({ length: size }, () => value),
        "int64",
      );
    const rank = moment.type.shape.length;
    const step = (onnx: string, inputs: readonly string[], suffix: string, attributes = {}): string => {
      const made = emit.temporary(suffix);
      emit.node(onnx, inputs, [made], attributes);
      return made;
    };
    const axes = emit.constant(
      Array.from({ length: rank }, (_, axis) => axis),
      "int64",
    );
    let one = emit.name(moment);
    if (rank > 0) {
      const first = step("Slice", [one, vector(rank, 0), vector(rank, 1), axes], "first");
      one = step("Reshape", [first, emit.constant([1], "int64")], "one");
    }
    if (moment.type.dtype !== x.type.dtype) one = step("Cast", [one], "cast", { to: onnxType(x.type.dtype) });
    const nothing = step("Mul", [one, emit.constant([0], x.type.dtype)], "nothing");
    emit.node("Add", [emit.name(x), nothing], [emit.name(node.outputs[0]!)]);
  },
  gradient: "none",
};

export const SHAPE_OPERATORS: readonly Operator[] = [after, reshape, expand, transpose, padAxes, slice];
