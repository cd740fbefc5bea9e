/** What losses have in common: they are given predictions and a target, and give one number. */
import { formatShape, isSymbolic, type Dim } from "../../ir/dim.js";
import type { AttributeValue } from "../../ir/types.js";
import { boolean, number, tensor, type Schema } from "../../words/schema.js";
import { flag, int } from "../attributes.js";
import { elements, sizes } from "../formula.js";
import { ShapeError, type Attributes, type Operator, type TensorType, type Value } from "../operator.js";
import { known, reshaped } from "../shapes.js";
import { writer, type Writer } from "../write.js";

export const WEIGHT = number("What it is multiplied by in the sum of all losses.", { min: 0, default: 1 });

const optional = { optional: true } as const;

export const COUNT = tensor(
  "What the sum is divided by, 1 at least, or for each image of the batch, and then the mean of the images is taken; without it the loss is the mean of all values.",
  optional,
);

/** Throws a ShapeError where predictions can't be compared with a target, value by value. */
export function requireAlike(loss: string, predictions: TensorType | undefined, target: TensorType | undefined): void {
  const [a, b] = [known(predictions).shape, known(target).shape];
  const alike = (x: readonly Dim[]): boolean => x.length === b.length && x.every((dim, axis) => mayBe(dim, b[axis]!));
  if (alike(a) || alike(flatShape(a))) return;
  throw new ShapeError(`${loss} compares predictions ${formatShape(a)} with a target ${formatShape(b)}`);
}

function mayBe(a: Dim, b: Dim): boolean {
  return isSymbolic(a) || isSymbolic(b) || a === b;
}

/** Whether a tensor of the second shape is broadcast to the first without making it larger. */
function reaches(to: readonly Dim[], from: readonly Dim[]): boolean {
  return to.length === from.length && to.every((dim, axis) => from[axis] === 1 || mayBe(dim, from[axis]!));
}

/** Throws a ShapeError where a loss is divided by something else than a number, or one for each image. */
export function requireCount(loss: string, predictions: TensorType | undefined, count: TensorType | undefined): void {
  const shape = count?.shape ?? [];
  if (shape.length === 0 || (shape.length === 1 && mayBe(known(predictions).shape[0]!, shape[0]!))) return;
  throw new ShapeError(
    `${loss} is divided by one number, or by one for each image, not by ${formatShape(shape)}`,
    "`total` gives the sum of a mask",
  );
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
 * A loss that compares value by value, and its gradient: predictions, and a target that is broadcast to their shape, to a
 * scalar, the mean; or with `count`, a scalar, the sum divided by it (by 1 where it is less); or with one for each image,
 * [N], the mean of the images' sums, each divided by its own. `mask` weighs the values, broadcast too, or without the last axes
 * all values of a row alike. The target is taken as it is: it has no gradient.
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
        count: COUNT,
        mask: tensor("How much each value counts, or each row of values; it needs a `count`.", optional),
      },
      loss: {},
    },
    fullPrecision: true,
    infer([predictions, target, count, mask]) {
      if (!reaches(known(predictions).shape, known(target).shape)) requireAlike(name, predictions, target);
      requireCount(name, predictions, count);
      const values = compared(known(predictions), known(target));
      const axes = mask?.shape.length ?? 0;
      if (mask && (axes === 0 || !reaches(values.slice(0, axes), mask.shape))) {
        const [weights, shape] = [formatShape(mask.shape), formatShape(values)];
        throw new ShapeError(`the mask of ${name}, ${weights}, does not fit its predictions, ${shape}`);
      }
      return [reshaped(predictions, [])];
    },
    lower(node, emit) {
      const w = writer(node, emit);
      const [predictions, target, count, weights] = node.inputs as readonly [Value, Value, Value?, Value?];
      const [x, t, divisor, mask] = w.inputs as readonly [string, string, string?, string?];
      const each = write(w, writeFlat(w, x, predictions, target), t, node.attributes);
      const shape = compared(predictions.type, target.type);
      const counted = writeMasked(w, each, mask, weights, shape.length);
      if (count === undefined || divisor === undefined || count.type.shape.length === 0) {
        const total = w.reduce("Sum", w.reshape(counted, [-1], "row"), [0], "sum");
        if (divisor === undefined) w.give("Mul", [total, w.number(1 / elements(predictions))]);
        else w.give("Div", [total, atLeastOne(w, divisor)]);
        return;
      }
      const images = sizes(predictions)[0]!;
      // Rows first: what is summed in single precision, value after value, loses digits with each of millions.
      const rows = shape.length > 2 ? w.reduce("Sum", counted, [-1], "rows") : counted;
      const sums = w.reduce("Sum", w.reshape(rows, [images, -1], "rows.image"), [1], "sums");
      const own = w.step("Div", [sums, atLeastOne(w, divisor)], "images");
      w.give("Mul", [w.reduce("Sum", own, [0], "images.sum"), w.number(1 / images)]);
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
      const [, predictions, target, count, weights] = node.inputs as readonly [Value, Value, Value, Value?, Value?];
      const [dy, x, t, divisor, mask] = w.inputs as readonly [string, string, string, string?, string?];
      const each = slope(w, writeFlat(w, x, predictions, target), t, node.attributes);
      const shape = compared(predictions.type, target.type);
      const counted = writeMasked(w, each, mask, weights, shape.length);
      const factor = (): string => {
        if (divisor === undefined) return w.step("Mul", [dy, w.number(1 / elements(predictions))], "factor");
        const shared = w.step("Div", [dy, atLeastOne(w, divisor)], "factor");
        if (count!.type.shape.length === 0) return shared;
        const images = sizes(predictions)[0]!;
        const own = w.step("Mul", [shared, w.number(1 / images)], "factors");
        return w.reshape(
          own,
          shape.map((_, axis) => (axis === 0 ? images : 1)),
          "factors.image",
        );
      };
      w.give("Reshape", [w.step("Mul", [counted, factor()], "scaled"), w.ints(...sizes(predictions))]);
    },
    gradient: "none",
  };
  return [loss, gradient];
}

/** Each value times its weight, or that of its row; what does not count need not be a number. */
function writeMasked(w: Writer, each: string, mask: string | undefined, type: Value | undefined, rank: number): string {
  if (mask === undefined) return each;
  const lacking = Array.from({ length: rank - type!.type.shape.length }, (_, axis) => -1 - axis);
  const weights = lacking.length > 0 ? w.unsqueeze(mask, lacking, "mask") : mask;
  const isOut = w.step("Equal", [weights, w.number(0)], "is_out");
  return w.step("Where", [isOut, w.number(0), w.step("Mul", [each, weights], "weighed")], "counted");
}

/** The shape of the values that are compared: of the predictions, without axes of 1 behind classes that the target lacks. */
function compared(predictions: TensorType, target: TensorType): readonly Dim[] {
  const { shape } = predictions;
  return shape.length === target.shape.length ? shape : flatShape(shape);
}

/** [N, classes, 1, 1] as [N, classes], where that is what they are compared with. */
function writeFlat(w: Writer, x: string, predictions: Value, target: Value): string {
  return predictions.type.shape.length === target.type.shape.length ? x : w.reshape(x, sizes(target), "flat");
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

/**
 * The sum of all values, a scalar; `each_image`: of each image's, [N, ...] to [N]. `of_each`: so many for each image of the
 * batch, whatever the values.
 */
export const total: Operator = {
  name: "total",
  doc: "The sum of all values: of a mask, how many it lets through.",
  layer: {
    arguments: {
      each_image: boolean("One sum for each image.", { default: false }),
      of_each: number("So many for each image of the batch, whatever the values; 0: their sum.", {
        min: 0,
        default: 0,
      }),
      times: number("How many each value counts for.", { min: 0, default: 1 }),
    },
  },
  fullPrecision: true,
  gradient: "none",
  complete: (attributes) => ({ each_image: false, of_each: 0, times: 1, ...attributes }),
  infer([x], attributes) {
    const [batch] = known(x).shape;
    const isOfImages = flag(attributes, "each_image") || int(attributes, "of_each") > 0;
    if (isOfImages && batch === undefined) {
      throw new ShapeError("total of each image needs values [N, ...], not a number");
    }
    return [reshaped(x, flag(attributes, "each_image") ? [batch!] : [])];
  },
  lower(node, emit) {
    const w = writer(node, emit);
    const [x] = w.inputs as readonly [string];
    const fixed = int(node.attributes, "of_each");
    const isEach = flag(node.attributes, "each_image");
    if (fixed > 0) {
      const images = w.size(node.inputs[0]!, 0);
      if (isEach) return w.give("Expand", [w.number(fixed), images]);
      const count = w.step("Squeeze", [w.cast(images, "float32", "images"), w.ints(0)], "images.count");
      return w.give("Mul", [count, w.number(fixed)]);
    }
    const rows = isEach ? w.reshape(x, [0, -1], "rows") : w.reshape(x, [-1], "row");
    const times = int(node.attributes, "times");
    const axis = w.ints(isEach ? 1 : 0);
    if (times === 1) return w.give("ReduceSum", [rows, axis], { keepdims: 0 });
    w.give("Mul", [w.step("ReduceSum", [rows, axis], "sum", { keepdims: 0 }), w.number(times)]);
  },
};
