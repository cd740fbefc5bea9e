/**
 * Batch norms while training in few and large operators, as GPUs want them: ONNX's operator by given statistics, which every
 * device has, does all that is by channel. What is to be done with the channels' numbers alone is left to operators that many
 * norms can share.
 */
import type { Lowering } from "../lowering.js";
import { int, word } from "../attributes.js";
import { sizes } from "../formula.js";
import type { Operator, Value } from "../operator.js";
import { channelsOf, known, reshaped } from "../shapes.js";
import { scalar } from "../tensor/arithmetic.js";
import { writeChannelAverage, type Averaged, type ImageAverage } from "../tensor/reductions.js";

/**
 * As `bn_train`, and x - mean divided by the root of a map's size, which the gradient is computed of. `images`: how their sums
 * are averaged.
 */
export const normTrain: Operator = {
  name: "norm_train",
  doc: "Batch normalisation by the batch's own statistics, by ONNX's operator for given ones.",
  fullPrecision: true,
  infer([x]) {
    const statistic = reshaped(x, [channelsOf(x, "norm_train")]);
    return [known(x), statistic, statistic, known(x)];
  },
  lower(node, emit) {
    const [x, weight, bias] = node.inputs.map((input) => emit.name(input));
    const [y, mean, variance, centred] = node.outputs.map((output) => emit.name(output));
    const { all, norm, average } = helpers(node.inputs[0]!, word(node.attributes, "images") as ImageAverage, emit);
    average(x!, mean!, "mean", "values");
    // A map's sum of squares is then an average.
    norm([x!, all(1 / rootOfMap(node.inputs[0]!)), all(0), mean!, all(1 - LITTLE)], centred!, LITTLE);
    average(centred!, variance!, "variance", "squares");
    norm([x!, weight!, bias!, mean!, variance!], y!, int(node.attributes, "eps"));
  },
};

/**
 * dy, what `norm_train` kept, weight, variance and its `norm_spread` to the gradient of x, and to what those of the weight and the
 * bias are made of: averages that need a factor yet.
 *
 * dx = weight / sigma (dy - centred mean(dy centred) / sigma^2 - mean(dy)), each product by channel as a norm.
 */
export const normTrainGradient: Operator = {
  name: "norm_train_gradient",
  doc: "Gradients of batch normalisation by the batch's statistics, by ONNX's operator for given ones.",
  fullPrecision: true,
  infer: ([dy, , weight]) => [known(dy), known(weight), known(weight)],
  lower(node, emit) {
    const [dy, centred, weight, variance, spread] = node.inputs.map((input) => emit.name(input));
    const [dx, product, mean] = node.outputs.map((output) => emit.name(output));
    const { all, norm, average } = helpers(node.inputs[0]!, word(node.attributes, "images") as ImageAverage, emit);
    const eps = int(node.attributes, "eps");
    const [products, along, rest] = [emit.temporary("products"), emit.temporary("along"), emit.temporary("rest")];
    const zero = all(0);
    emit.node("Mul", [dy!, centred!], [products]);
    average(products, product!, "product", "sums");
    average(dy!, mean!, "mean", "values");
    norm([centred!, product!, mean!, zero, spread!], along, eps * eps);
    emit.node("Sub", [dy!, along], [rest]);
    norm([rest, weight!, zero, zero, variance!], dx!, eps);
  },
};

/** A variance to what, with the square of eps added, is the square of variance + eps: a norm by it divides by that. */
export const normSpread: Operator = {
  name: "norm_spread",
  doc: "variance (variance + 2 eps).",
  fullPrecision: true,
  infer: ([variance]) => [known(variance)],
  lower(node, emit) {
    const variance = node.inputs[0]!;
    const shifted = emit.temporary("shifted");
    const twice = scalar(2 * int(node.attributes, "eps"), variance.type, emit);
    emit.node("Add", [emit.name(variance), twice], [shifted]);
    emit.node("Mul", [emit.name(variance), shifted], [emit.name(node.outputs[0]!)]);
  },
  gradient: "none",
};

/** `factor` times an average over the root of a variance + eps: the gradient of a norm's weight. */
export const normScaleGradient: Operator = {
  name: "norm_scale_gradient",
  doc: "factor * product / sqrt(variance + eps).",
  fullPrecision: true,
  infer: ([product]) => [known(product)],
  lower(node, emit) {
    const [product, variance] = node.inputs.map((input) => emit.name(input));
    const channels = sizes(node.inputs[0]!)[0]!;
    const [row, divided] = [emit.temporary("row"), emit.temporary("divided")];
    const { all, norm } = channelNorm(channels, emit);
    emit.node("Reshape", [product!, emit.constant([1, channels], "int64")], [row]);
    const [factor, zero] = [all(int(node.attributes, "factor")), all(0)];
    norm([row, factor, zero, zero, variance!], divided, int(node.attributes, "eps"));
    emit.node("Reshape", [divided, emit.constant([channels], "int64")], [emit.name(node.outputs[0]!)]);
  },
  gradient: "none",
};

/** `factor` times an average: the gradient of a norm's bias. */
export const normOffsetGradient: Operator = {
  name: "norm_offset_gradient",
  doc: "factor * mean.",
  fullPrecision: true,
  infer: ([mean]) => [known(mean)],
  lower(node, emit) {
    const mean = node.inputs[0]!;
    const factor = scalar(int(node.attributes, "factor"), mean.type, emit);
    emit.node("Mul", [emit.name(mean), factor], [emit.name(node.outputs[0]!)]);
  },
  gradient: "none",
};

/** The factors of both, from the shape of the map that was normed. */
export function normFactors(x: Value): { readonly scale: number; readonly offset: number } {
  const [batch, , ...map] = sizes(x) as readonly [number, number, ...number[]];
  return { scale: batch * rootOfMap(x), offset: map.reduce((product, size) => product * size, batch) };
}

function rootOfMap(x: Value): number {
  const [, , ...map] = sizes(x);
  return Math.sqrt(map.reduce((product, size) => product * size, 1));
}

function helpers(x: Value, images: ImageAverage, emit: Lowering) {
  const shape = sizes(x);
  return {
    ...channelNorm(shape[1]!, emit),
    average: (map: string, output: string, suffix: string, of: Averaged): void =>
      writeChannelAverage(map, shape, output, emit, suffix, { images, of }),
  };
}

function channelNorm(channels: number, emit: Lowering) {
  return {
    /** [C] of one number. */
    all: (value: number): string => emit.constant(Array<number>(channels).fill(value), "float32", [channels]),
    /** x, weight, bias, mean, variance */
    norm: (inputs: readonly string[], output: string, eps: number): void =>
      emit.node("BatchNormalization", inputs, [output], { epsilon: { float: eps } }),
  };
}

/** What a norm adds to the variance that it is given, where that is 1. */
const LITTLE = 1e-5;
