/** Arithmetic on whole tensors, what gradients and optimisers are written in. Shapes broadcast as NumPy's do. */
import { equalDims, formatShape, type Dim } from "../../ir/dim.js";
import type { Attributes, TensorType, Value } from "../../ir/types.js";
import { onnxType } from "../../ir/dtype.js";
import { int } from "../attributes.js";
import { formula, type Formula } from "../formula.js";
import { ShapeError, type Node, type Operator } from "../operator.js";
import { known, reshaped } from "../shapes.js";
import type { Lowering } from "../lowering.js";

/** The shape that both stretch to; throws a ShapeError where there is none. */
export function broadcastShape(a: readonly Dim[], b: readonly Dim[], what: string): readonly Dim[] {
  const rank = Math.max(a.length, b.length);
  const at = (shape: readonly Dim[], axis: number): Dim => shape[axis - (rank - shape.length)] ?? 1;
  return Array.from({ length: rank }, (_, axis) => {
    const [left, right] = [at(a, axis), at(b, axis)];
    if (equalDims(left, right) || equalDims(right, 1)) return left;
    if (equalDims(left, 1)) return right;
    throw new ShapeError(`${what}: ${formatShape(a)} and ${formatShape(b)} do not broadcast`);
  });
}

/** The two factors that dy gets on its way to a and b, before the sum over what was broadcast. */
type BinaryRule = (f: Formula, dy: Value, a: Value, b: Value, y: Value) => readonly [Value, Value];

function binary(name: string, doc: string, lower: Operator["lower"], rule?: BinaryRule): Operator {
  return {
    name,
    doc,
    infer: ([a, b]) => [reshaped(a, broadcastShape(known(a).shape, known(b).shape, name))],
    elementwise: true,
    lower,
    gradient(node, [dy], builder) {
      if (dy === undefined || rule === undefined) return [];
      const f = formula(builder);
      const [a, b] = node.inputs as readonly [Value, Value];
      const [da, db] = rule(f, dy, a, b, node.outputs[0]!);
      return [f.sumTo(da, a.type.shape), f.sumTo(db, b.type.shape)];
    },
  };
}

type UnaryRule = (f: Formula, dy: Value, x: Value, y: Value, attributes: Attributes) => Value;

/** Without a rule it is constant wherever it has a slope. */
function unary(name: string, doc: string, lower: Operator["lower"], rule?: UnaryRule, fullPrecision?: true): Operator {
  return {
    name,
    doc,
    infer: ([x]) => [known(x)],
    elementwise: true,
    lower,
    ...(fullPrecision && { fullPrecision }),
    gradient(node, [dy], builder) {
      if (dy === undefined || rule === undefined) return [];
      return [rule(formula(builder), dy, node.inputs[0]!, node.outputs[0]!, node.attributes)];
    },
  };
}

/**
 * ONNX Runtime goes value by value through a tensor whose last sizes are 1 (the weights of a 1x1 convolution) when the
 * other one is a single number, thirty times as slowly as through the same values in a row: it gets them in a row.
 *
 * @returns whether the operator was written
 */
function writeInRow(
  onnx: string,
  [a, b]: readonly [string, string],
  type: TensorType,
  output: string,
  emit: Lowering,
): boolean {
  const { shape } = type;
  if (shape.length < 2 || shape.at(-1) !== 1 || shape.some((dim) => typeof dim !== "number")) return false;
  const [flat, result] = [emit.temporary("in_row"), emit.temporary("result")];
  emit.node("Reshape", [a, emit.constant([-1], "int64")], [flat]);
  emit.node(onnx, [flat, b], [result]);
  emit.node("Reshape", [result, emit.constant(shape as readonly number[], "int64")], [output]);
  return true;
}

/** One ONNX operator of the node's inputs. */
function direct(onnx: string): Operator["lower"] {
  return (node, emit) => {
    const [a, b] = node.inputs;
    if (b?.type.shape.length === 0) {
      if (writeInRow(onnx, [emit.name(a!), emit.name(b)], a!.type, emit.name(node.outputs[0]!), emit)) return;
    }
    emit.node(
      onnx,
      node.inputs.map((input) => emit.name(input)),
      [emit.name(node.outputs[0]!)],
    );
  };
}

/** A comparison, its truth as 1 and 0 of the inputs' type. */
function comparison(onnx: string): Operator["lower"] {
  return (node, emit) => {
    const truth = emit.temporary("truth");
    emit.node(
      onnx,
      node.inputs.map((input) => emit.name(input)),
      [truth],
    );
    emit.node("Cast", [truth], [emit.name(node.outputs[0]!)], { to: onnxType(node.outputs[0]!.type.dtype) });
  };
}

/** A number of the type of the node's output. */
export function scalar(value: number, type: TensorType, emit: Lowering): string {
  return emit.constant([value], type.dtype, []);
}

function lowerAffine(node: Node, emit: Lowering): void {
  const [x, y] = [node.inputs[0]!, node.outputs[0]!];
  const [scale, offset] = [int(node.attributes, "scale"), int(node.attributes, "offset")];
  let current = emit.name(x);
  if (scale !== 1 || offset === 0) {
    const scaled = offset === 0 ? emit.name(y) : emit.temporary("scaled");
    const inputs = [current, scalar(scale, y.type, emit)] as const;
    if (!writeInRow("Mul", inputs, y.type, scaled, emit)) emit.node("Mul", inputs, [scaled]);
    current = scaled;
  }
  if (offset === 0) return;
  const inputs = [current, scalar(offset, y.type, emit)] as const;
  if (!writeInRow("Add", inputs, y.type, emit.name(y), emit)) emit.node("Add", inputs, [emit.name(y)]);
}

function lowerPower(node: Node, emit: Lowering): void {
  const exponent = emit.constant([int(node.attributes, "exponent")], node.inputs[0]!.type.dtype, []);
  emit.node("Pow", [emit.name(node.inputs[0]!), exponent], [emit.name(node.outputs[0]!)]);
}

/** For what is not a number as well, which a product with 0 would keep. */
const select: Operator = {
  name: "select",
  doc: "a where the mask is not 0, else b; the mask is a single number.",
  infer: ([, a]) => [known(a)],
  lower(node, emit) {
    const [mask, a, b] = node.inputs.map((input) => emit.name(input));
    const truth = emit.temporary("truth");
    emit.node("Greater", [mask!, scalar(0, node.inputs[0]!.type, emit)], [truth]);
    emit.node("Where", [truth, a!, b!], [emit.name(node.outputs[0]!)]);
  },
  gradient: "none",
};

export const ARITHMETIC: readonly Operator[] = [
  select,
  binary("plus", "a + b.", direct("Add"), (_f, dy) => [dy, dy]),
  binary("minus", "a - b.", direct("Sub"), (f, dy) => [dy, f.affine(dy, -1)]),
  binary("times", "a * b.", direct("Mul"), (f, dy, a, b) => [f.times(dy, b), f.times(dy, a)]),
  binary("over", "a / b.", direct("Div"), (f, dy, _a, b, y) => {
    const da = f.over(dy, b);
    return [da, f.affine(f.times(da, y), -1)];
  }),
  binary("less", "1 where a < b, else 0.", comparison("Less")),
  binary("smaller", "The smaller of a and b.", direct("Min"), (f, dy, a, b) => {
    const second = f.less(b, a);
    return [f.times(dy, f.complement(second)), f.times(dy, second)];
  }),
  unary("exp", "e to the power of x.", direct("Exp"), (f, dy, _x, y) => f.times(dy, y), true),
  unary("log", "The natural logarithm.", direct("Log"), (f, dy, x) => f.over(dy, x), true),
  unary("sqrt", "The square root.", direct("Sqrt"), (f, dy, _x, y) => f.over(f.affine(dy, 0.5), y), true),
  unary("erf", "The error function.", direct("Erf"), (f, dy, x) => {
    return f.times(dy, f.affine(f.exp(f.affine(f.times(x, x), -1)), 2 / Math.sqrt(Math.PI)));
  }),
  unary("positive", "1 where x > 0, else 0.", (node, emit) => {
    const x = node.inputs[0]!;
    const truth = emit.temporary("truth");
    emit.node("Greater", [emit.name(x), scalar(0, x.type, emit)], [truth]);
    emit.node("Cast", [truth], [emit.name(node.outputs[0]!)], { to: onnxType(x.type.dtype) });
  }),
  unary("affine", "scale * x + offset, two numbers.", lowerAffine, (f, dy, _x, _y, attributes) => {
    return f.affine(dy, int(attributes, "scale"));
  }),
  unary(
    "power",
    "x to the power of a number.",
    lowerPower,
    (f, dy, x, _y, attributes) => {
      const exponent = int(attributes, "exponent");
      return f.times(dy, f.affine(f.power(x, exponent - 1), exponent));
    },
    true,
  ),
];
