import type { Lowering } from "../lowering.js";
import { formatShape } from "../../ir/dim.js";
import { onnxType } from "../../ir/dtype.js";
import { tensor } from "../../words/schema.js";
import { int } from "../attributes.js";
import { formula, sizes } from "../formula.js";
import { ShapeError, type Node, type Operator, type Value } from "../operator.js";
import { known, reshaped } from "../shapes.js";
import { scalar } from "../tensor/arithmetic.js";
import { flatShape, requireAlike, WEIGHT } from "./loss.js";

/**
 * The mean over a batch of the cross entropy between softmax(logits) and the labels: logits [N, classes] (or
 * [N, classes, 1, 1]), labels int64 [N] to a scalar; with the attribute `counts` two more, how many labels were the
 * likeliest class and among the five likeliest. `smoothing` spreads this share of the probability evenly over all classes
 * (arXiv:1512.00567, section 7; as PyTorch does). A third input, float32 [classes], weighs the classes.
 *
 * Soft labels, float32 [N, classes], are each class's share of an image (mixup, arXiv:1710.09412); the label that is
 * counted is then the class with the largest share. All of it is PyTorch's CrossEntropyLoss.
 */
export const crossEntropy: Operator = {
  name: "cross_entropy",
  doc: "Softmax cross entropy: the mean of -log p of each image's class, or of its classes by their shares.",
  layer: {
    arguments: {
      target: tensor("The classes: `image.labels`, or class numbers [N], or shares [N, classes]."),
      weight: WEIGHT,
      count: tensor("What the sum is divided by, 1 at least, where the target is shares; else by their number.", {
        optional: true,
      }),
    },
    loss: { ofClasses: true },
  },
  fullPrecision: true,
  infer([logits, labels, third], attributes) {
    if (known(labels).dtype !== "int64") requireAlike("cross_entropy", logits, labels);
    // What an input with a value for each class says is the classes' weights.
    const [each, ...others] = third?.shape ?? [];
    if (others.length > 0 || (typeof each === "number" && each !== known(logits).shape[1])) {
      throw new ShapeError(`cross_entropy is divided by one number, not by ${formatShape(third!.shape)}`);
    }
    if (third?.shape.length === 0 && known(labels).dtype === "int64") {
      throw new ShapeError("a `count` of cross_entropy is for shares of classes, and its target is class numbers");
    }
    const number = reshaped(logits, []);
    return attributes["counts"] === true ? [number, number, number] : [number];
  },
  lower(node, emit) {
    const { step, number, over } = helpers(node, emit);
    const [loss, ...counts] = node.outputs.map((output) => emit.name(output)) as [string, ...string[]];
    const [logits, target] = node.inputs as readonly [Value, Value];
    const [batch, classes] = sizes(logits) as [number, number];
    const smoothing = smoothingOf(node);
    const sum = (each: string): string =>
      step("ReduceSum", [each, emit.constant([0, 1], "int64")], "loss.sum", { keepdims: 0 });
    const flat = flatLogits(logits, emit);
    // Shifted by the maximum, so that no exponential overflows.
    const centred = step("Sub", [flat, over("Max", flat, "maximum")], "centred");
    const total = over("Sum", step("Exp", [centred], "exponentials"), "total");
    const logTotal = step("Log", [total], "log_total");
    if (areSoft(target)) {
      const { targets, all } = softTargets(node, emit, target);
      const named = over("Sum", step("Mul", [centred, targets], "each.weighed"), "each.sum");
      const surprise = step("Sub", [step("Mul", [logTotal, all], "log_total.weighed"), named], "surprise");
      const count = countOf(node);
      if (count) emit.node("Div", [sum(surprise), step("Max", [emit.name(count), number(1)], "count")], [loss]);
      else emit.node("Mul", [sum(surprise), number(1 / batch)], [loss]);
      if (counts.length > 0) countCorrect(node, emit, centred, largestShare(node, emit, centred), surprise, counts);
      return;
    }
    const chosen = writeOneHot(emit, target, classes);
    const label = over("Sum", step("Mul", [centred, chosen], "label.only"), "label");
    let surprise = step("Sub", [logTotal, label], "surprise");
    const weights = weighing(node, emit, chosen);
    if (weights) {
      let weighed = step("Mul", [surprise, weights.own], "weighed");
      if (smoothing > 0) {
        // (1 - s) * own weight * surprise + s / classes * (log total * all weights - sum of weight * logit)
        const logits = over("Sum", step("Mul", [centred, weights.each], "each.weighed"), "each.sum");
        const all = step("Sub", [step("Mul", [logTotal, weights.all], "log_total.weighed"), logits], "all.surprise");
        const share = step("Mul", [all, number(smoothing / classes)], "share");
        weighed = step("Add", [step("Mul", [weighed, number(1 - smoothing)], "kept"), share], "smoothed");
      }
      emit.node("Div", [sum(weighed), weights.batch], [loss]);
    } else {
      if (smoothing > 0) {
        // (1 - s) * (log total - label) + s * (log total - mean of all logits)
        const mean = step("Mul", [over("Sum", centred, "sum"), number(1 / classes)], "mean");
        const difference = step("Sub", [label, mean], "difference");
        surprise = step("Add", [surprise, step("Mul", [difference, number(smoothing)], "share")], "smoothed");
      }
      emit.node("Mul", [sum(surprise), number(1 / batch)], [loss]);
    }
    if (counts.length > 0) countCorrect(node, emit, centred, label, surprise, counts);
  },
  gradient(node, [dy], builder) {
    if (dy === undefined) return [];
    const [logits, ...others] = node.inputs;
    const shape = sizes(logits!);
    const f = formula(builder);
    const flat = shape.length === 2 ? logits! : f.reshape(logits!, flatShape(shape));
    const dx = f.apply("cross_entropy_gradient", [dy, flat, ...others], { smoothing: smoothingOf(node) });
    return [shape.length === 2 ? dx : f.reshape(dx, shape)];
  },
};

/** (softmax(logits) - target) / N times the loss's own gradient. */
export const crossEntropyGradient: Operator = {
  name: "cross_entropy_gradient",
  doc: "Gradient of the mean cross entropy.",
  fullPrecision: true,
  infer: ([, logits]) => [known(logits)],
  lower(node, emit) {
    const { step, number } = helpers(node, emit);
    const [dy, logits, labels] = node.inputs;
    const [batch, classes] = sizes(logits!) as [number, number];
    const smoothing = smoothingOf(node);
    const probabilities = emit.temporary("probabilities");
    emit.node("Softmax", [emit.name(logits!)], [probabilities], { axis: 1 });
    if (areSoft(labels!)) {
      const { targets, all } = softTargets(node, emit, labels!);
      const difference = step("Sub", [step("Mul", [probabilities, all], "p.weighed"), targets], "difference");
      const count = countOf(node);
      const factor = count
        ? step("Div", [emit.name(dy!), step("Max", [emit.name(count), number(1)], "count")], "factor")
        : step("Mul", [emit.name(dy!), number(1 / batch)], "factor");
      emit.node("Mul", [difference, factor], [emit.name(node.outputs[0]!)]);
      return;
    }
    const chosen = writeOneHot(emit, labels!, classes);
    const weights = weighing(node, emit, chosen);
    if (weights) {
      // (own weight * (1 - s) * (p - label) + s / classes * (all weights * p - weights)) / the batch's weights
      let difference = step("Mul", [step("Sub", [probabilities, chosen], "difference"), weights.own], "weighed");
      if (smoothing > 0) {
        const spread = step("Sub", [step("Mul", [probabilities, weights.all], "p.weighed"), weights.each], "spread");
        const share = step("Mul", [spread, number(smoothing / classes)], "share");
        difference = step("Add", [step("Mul", [difference, number(1 - smoothing)], "kept"), share], "smoothed");
      }
      const factor = step("Div", [emit.name(dy!), weights.batch], "factor");
      emit.node("Mul", [difference, factor], [emit.name(node.outputs[0]!)]);
      return;
    }
    let target = chosen;
    if (smoothing > 0) {
      const kept = step("Mul", [target, number(1 - smoothing)], "kept");
      target = step("Add", [kept, number(smoothing / classes)], "target");
    }
    const factor = step("Mul", [emit.name(dy!), number(1 / batch)], "factor");
    const difference = step("Sub", [probabilities, target], "difference");
    emit.node("Mul", [difference, factor], [emit.name(node.outputs[0]!)]);
  },
};

const float = { to: onnxType("float32") };

/** A recipe's, which the pass that adds the loss writes into the node. */
function smoothingOf({ attributes }: Node): number {
  return (attributes["smoothing"] as number | undefined) ?? 0;
}

/** [N, classes], of [N, classes, 1, 1] too. */
function flatLogits(logits: Value, emit: Lowering): string {
  const shape = sizes(logits);
  if (shape.length === 2) return emit.name(logits);
  const flat = emit.temporary("flat");
  emit.node("Reshape", [emit.name(logits), emit.constant(flatShape(shape), "int64")], [flat]);
  return flat;
}

function helpers(node: Node, emit: Lowering) {
  const { type } = node.outputs[0]!;
  const step = (onnx: string, inputs: readonly string[], suffix: string, attributes = {}): string => {
    const made = emit.temporary(suffix);
    emit.node(onnx, inputs, [made], attributes);
    return made;
  };
  return {
    step,
    number: (value: number) => scalar(value, type, emit),
    over(kind: "Sum" | "Max", x: string, suffix: string): string {
      const axes = [1];
      if (kind === "Sum" || emit.opset >= 18) {
        return step(`Reduce${kind}`, [x, emit.constant(axes, "int64")], suffix, { keepdims: 1 });
      }
      return step(`Reduce${kind}`, [x], suffix, { axes, keepdims: 1 });
    },
  };
}

/** Whether labels are shares, float32 [N, classes], and not class numbers. */
function areSoft({ type }: Value): boolean {
  return type.dtype !== "int64";
}

/**
 * What the loss takes of each class's -log p, [N, classes]: its share, smoothed, times its weight; and the sum of that
 * for each image, [N, 1]. Unlike class numbers' it is divided by the number of images, whatever the weights: PyTorch's.
 */
function softTargets(node: Node, emit: Lowering, labels: Value) {
  const { step, number, over } = helpers(node, emit);
  const classes = sizes(labels)[1]!;
  const smoothing = smoothingOf(node);
  let targets = emit.name(labels);
  if (smoothing > 0) {
    const kept = step("Mul", [targets, number(1 - smoothing)], "kept");
    // What is divided by a count may have rows without any share: of those nothing is spread.
    const own = countOf(node) && over("Sum", targets, "row");
    const spread = own ? step("Mul", [own, number(smoothing / classes)], "spread") : number(smoothing / classes);
    targets = step("Add", [kept, spread], "smoothed");
  }
  const weights = weightsOf(node);
  if (weights) targets = step("Mul", [targets, emit.name(weights)], "weighed");
  return { targets, all: over("Sum", targets, "all") };
}

/** The centred logit of the class with the largest share, [N, 1]; of several with the same, the likeliest's. */
function largestShare(node: Node, emit: Lowering, centred: string): string {
  const { step, over } = helpers(node, emit);
  const shares = emit.name(node.inputs[1]!);
  const largest = step("Equal", [shares, over("Max", shares, "largest")], "is_largest");
  const lowest = emit.constant([-3e38], node.inputs[0]!.type.dtype, []);
  return over("Max", step("Where", [largest, centred, lowest], "largest.only"), "label");
}

/**
 * The outputs `correct` and `correct5`. A label's rank is the number of classes that are likelier. A NaN anywhere makes
 * nothing likelier: no answer is right then, which the comparison with itself, false for NaN, takes care of.
 *
 * @param label the label's logit, [N, 1], of those in `centred`, [N, classes]
 * @param surprise [N, 1], NaN where anything is
 */
function countCorrect(
  node: Node,
  emit: Lowering,
  centred: string,
  label: string,
  surprise: string,
  outputs: readonly string[],
): void {
  const { step, number, over } = helpers(node, emit);
  const likelier = step("Cast", [step("Greater", [centred, label], "likelier")], "likelier.number", float);
  const rank = over("Sum", likelier, "rank");
  const real = step("Cast", [step("Equal", [surprise, surprise], "real")], "real.number", float);
  for (const [index, limit] of [1, 5].entries()) {
    const within = step("Less", [rank, number(limit - 0.5)], `top${limit}`);
    const below = step("Cast", [within], `top${limit}.number`, float);
    const counted = step("Mul", [below, real], `top${limit}.real`);
    emit.node("ReduceSum", [counted, emit.constant([0, 1], "int64")], [outputs[index]!], { keepdims: 0 });
  }
}

/**
 * What a third input, float32 [classes], makes of the mean: PyTorch's CrossEntropyLoss(weight). `own` is the label's
 * weight, [N, 1]; `each` every class's; `all` their sum; `batch` the sum of the labels' weights, which the loss is divided by.
 */
function weighing(node: Node, emit: Lowering, chosen: string) {
  const weights = weightsOf(node);
  if (weights === undefined) return undefined;
  const { step, over } = helpers(node, emit);
  const own = over("Sum", step("Mul", [chosen, emit.name(weights)], "label.weight"), "own_weight");
  const sum = (x: string, axes: readonly number[], suffix: string): string =>
    step("ReduceSum", [x, emit.constant(axes, "int64")], suffix, { keepdims: 0 });
  return {
    own,
    each: emit.name(weights),
    all: sum(emit.name(weights), [0], "all_weights"),
    batch: sum(own, [0, 1], "batch_weights"),
  };
}

/** What a batch of shares is divided by, behind them; the gradient has its own first input, a scalar too. */
function countOf({ inputs, op }: Node): Value | undefined {
  return inputs.slice(op === "cross_entropy" ? 2 : 3).find(({ type }) => type.shape.length === 0);
}

function weightsOf(node: Node): Value | undefined {
  return node.inputs.find((input) => input.type.shape.length === 1 && input.type.dtype !== "int64");
}

/**
 * [N] to [N, classes], 1 at the label. WebGPU has no OneHot, nor any arithmetic of int64: the labels are only indices,
 * into the list of class numbers as floats. A label that is no class is an error of the Gather on the processor.
 */
function writeOneHot(emit: Lowering, labels: Value, classes: number): string {
  const [flat, column, truth, chosen] = ["number", "column", "is_label", "one_hot"].map((each) => emit.temporary(each));
  const numbers = Array.from({ length: classes }, (_, index) => index);
  emit.node("Gather", [emit.constant(numbers, "float32"), emit.name(labels)], [flat!]);
  emit.node("Reshape", [flat!, emit.constant([sizes(labels)[0]!, 1], "int64")], [column!]);
  emit.node("Equal", [emit.constant(numbers, "float32", [1, classes]), column!], [truth!]);
  emit.node("Cast", [truth!], [chosen!], float);
  return chosen!;
}

/** Class numbers, int64 [N], as shares: [N, classes], 1 at the class. */
export const oneHot: Operator = {
  name: "one_hot",
  doc: "1 at each image's class, 0 at all others.",
  fullPrecision: true,
  infer: ([labels], attributes) => [{ dtype: "float32", shape: [known(labels).shape[0]!, int(attributes, "classes")] }],
  lower(node, emit) {
    const chosen = writeOneHot(emit, node.inputs[0]!, int(node.attributes, "classes"));
    emit.node("Identity", [chosen], [emit.name(node.outputs[0]!)]);
  },
  gradient: "none",
};
