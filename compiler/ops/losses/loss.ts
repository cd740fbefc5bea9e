/** What losses have in common: they are given predictions and a target, and give one number. */
import { formatShape, isSymbolic, type Dim } from "../../ir/dim.js";
import type { AttributeValue } from "../../ir/types.js";
import { number, tensor, type Schema } from "../../words/schema.js";
import { elements, sizes } from "../formula.js";
import { ShapeError, type Attributes, type Operator, type TensorType, type Value } from "../operator.js";
import { known, reshaped } from "../shapes.js";
import { writer, type Writer } from "../write.js";

export const WEIGHT = number("What it is multiplied by in the sum of all losses.", { min: 0, default: 1 });

/** Throws a ShapeError where predictions can't be compared with a target, value by value. */
export function requireAlike(loss: string, predictions: TensorType | undefined, target: TensorType | undefined): void {
  const [a, b] = [known(predictions).shape, known(target).shape];
  const alike = (x: readonly Dim[]): boolean =>
    x.length === b.length && x.every((dim, axis) => isSymbolic(dim) || isSymbolic(b[axis]!) || dim === b[axis]);
  if (alike(a) || alike(flatShape(a))) return;
  throw new ShapeError(`${loss} compares predictions ${formatShape(a)} with a target ${formatShape(b)}`);
}

/** [N, classes] of [N, classes, 1, 1]. */
export function flatShape<D extends Dim>(shape: readonly D[]): readonly D[] {
  return shape.length === 4 && shape[2] === 1 && shape[3] === 1 ? shape.slice(0, 2) : shape;
}

/** Writes a number for each value, of predictions and targets of one shape; all are ONNX names. */
type WriteEach = (w: Writer, x: string, target: string, attributes: Attributes) => string;

interface ElementwiseLoss {
  readonly name: string;
  readonly doc: string;
  /** Of the target. */
  readonly target: string;
  readonly arguments?: Schema<AttributeValue>;
  readonly write: WriteEach;
  /** The derivative with respect to each prediction. */
  readonly slope: WriteEach;
}

/**
 * A loss that compares value by value, and its gradient: predictions and target of one shape to a scalar, the mean; or with
 * `count`, a scalar, the sum divided by it (by 1 where it is less). The target is taken as it is: it has no gradient.
 */
export function elementwiseLoss(definition: ElementwiseLoss): readonly [loss: Operator, gradient: Operator] {
  const { name, doc, write, slope } = definition;
  const loss: Operator = {
    name,
    doc,
    layer: {
      arguments: {
        target: tensor(definition.target),
        ...definition.arguments,
        weight: WEIGHT,
        count: tensor("What the sum is divided by, 1 at least; without it the loss is the mean of all values.", {
          optional: true,
        }),
      },
      loss: {},
    },
    fullPrecision: true,
    infer([predictions, target, count]) {
      requireAlike(name, predictions, target);
      if (count && count.shape.length > 0) {
        throw new ShapeError(`${name} is divided by one number, not by ${formatShape(count.shape)}`);
      }
      return [reshaped(predictions, [])];
    },
    lower(node, emit) {
      const w = writer(node, emit);
      const [, target, count] = node.inputs as readonly [Value, Value, Value?];
      const [x, t] = w.inputs as readonly [string, string];
      const each = write(w, w.reshape(x, sizes(target), "flat"), t, node.attributes);
      const total = w.reduce("Sum", w.reshape(each, [-1], "row"), [0], "sum");
      if (count === undefined) return w.give("Mul", [total, w.number(1 / elements(target))]);
      w.give("Div", [total, atLeastOne(w, w.inputs[2]!)]);
    },
    gradient(node, [dy], builder) {
      return dy === undefined ? [] : builder.apply(`${name}_gradient`, [dy, ...node.inputs], node.attributes);
    },
  };
  const gradient: Operator = {
    name: `${name}_gradient`,
    doc: `Gradient of ${name} with respect to the predictions.`,
    fullPrecision: true,
    infer: ([, predictions]) => [known(predictions)],
    lower(node, emit) {
      const w = writer(node, emit);
      const [, predictions, target] = node.inputs as readonly [Value, Value, Value];
      const [dy, x, t, count] = w.inputs as readonly [string, string, string, string?];
      const factor =
        count === undefined
          ? w.step("Mul", [dy, w.number(1 / elements(target))], "factor")
          : w.step("Div", [dy, atLeastOne(w, count)], "factor");
      const each = slope(w, w.reshape(x, sizes(target), "flat"), t, node.attributes);
      w.give("Reshape", [w.step("Mul", [each, factor], "scaled"), w.ints(...sizes(predictions))]);
    },
    gradient: "none",
  };
  return [loss, gradient];
}

const atLeastOne = (w: Writer, count: string): string => w.step("Max", [count, w.number(1)], "count");

/** The sum of numbers, each times its own of the attribute `weights`. In full precision: losses may be scaled. */
export const weightedSum: Operator = {
  name: "weighted_sum",
  doc: "Numbers times their weights, added up.",
  fullPrecision: true,
  infer: ([first]) => [known(first)],
  lower(node, emit) {
    const w = writer(node, emit);
    const weights = node.attributes["weights"] as readonly number[];
    const parts = w.inputs.map((x, index) =>
      weights[index] === 1 ? x : w.step("Mul", [x, w.number(weights[index]!)], "weighed"),
    );
    if (parts.length === 1) return w.give("Identity", parts);
    // WebGPU has no Sum.
    const before = parts.slice(0, -1).reduce((sum, part) => w.step("Add", [sum, part], "sum"));
    w.give("Add", [before, parts.at(-1)!]);
  },
  gradient(node, [dy], builder) {
    if (dy === undefined) return [];
    const weights = node.attributes["weights"] as readonly number[];
    return weights.map((weight) => (weight === 1 ? dy : builder.apply("weighted_sum", [dy], { weights: [weight] })[0]));
  },
};
