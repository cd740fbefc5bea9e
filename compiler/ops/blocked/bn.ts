/**
 * Batch norms of blocked maps, in few passes over them. ONNX Runtime's depthwise 1x1 convolution is the workhorse: a
 * scale and an offset for each channel, another tensor added, and a rectifier, all in one pass.
 */
import type { Lowering } from "../lowering.js";
import { flag, int } from "../attributes.js";
import { sizes } from "../formula.js";
import type { Node, Operator } from "../operator.js";
import { channelsOf, known, reshaped } from "../shapes.js";
import { inputNames, POINTWISE, steps, type Steps } from "./steps.js";

/**
 * x, blocked, weight, bias [C], and perhaps a map to add, to y = bn(x) (+ map), rectified if `relu`; the batch's mean
 * and variance [C]; and x - mean, for the gradient.
 */
export const blockedBnTrain: Operator = {
  name: "blocked_bn_train",
  doc: "Batch normalisation by the batch's own statistics in the blocked layout.",
  fullPrecision: true,
  infer([x]) {
    const statistic = reshaped(x, [channelsOf(x, "blocked_bn_train")]);
    return [known(x), statistic, statistic, known(x)];
  },
  lower(node, emit) {
    const [x, weight, bias, addend] = inputNames(node, emit);
    const [y, mean, variance, centred] = node.outputs.map((output) => emit.name(output));
    const { s, shape, average, affine, gain } = helpers(node, emit);
    const ones = s.floats(Array.from({ length: shape[1]! }, () => 1));
    average(x!, mean);
    // Centred before squaring: a difference of large sums would lose the variance where the mean is large.
    affine({ x: x!, scale: ones, offset: s.onnx("Neg", [mean!]), output: centred! });
    average(s.onnx("Mul", [centred!, centred!]), variance);
    const scale = gain(weight!, variance!).gain;
    affine({
      x: centred!,
      scale,
      offset: bias!,
      ...(addend !== undefined && { addend }),
      relu: flag(node.attributes, "relu"),
      output: y!,
    });
  },
};

/** dy, x - mean, weight, variance to the gradients of x, weight and bias. */
export const blockedBnTrainGradient: Operator = {
  name: "blocked_bn_train_gradient",
  doc: "Gradients of batch normalisation by the batch's statistics in the blocked layout.",
  fullPrecision: true,
  infer: ([dy, , weight]) => [known(dy), known(weight), known(weight)],
  lower(node, emit) {
    const [dy, centred, weight, variance] = inputNames(node, emit);
    const [dx, dWeight, dBias] = node.outputs.map((output) => emit.name(output));
    const { s, shape, average, affine, gain } = helpers(node, emit);
    const count = s.number(shape[0]! * shape[2]! * shape[3]!);
    const made = gain(weight!, variance!);
    const meanGradient = average(dy!);
    const correlation = average(s.onnx("Mul", [dy!, centred!]));
    s.onnx("Mul", [meanGradient, count], {}, dBias);
    s.onnx("Div", [s.onnx("Mul", [correlation, count]), made.deviation], {}, dWeight);
    // dx = gain (dy - mean(dy) - centred mean(dy centred) / deviation^2)
    const slope = s.onnx("Neg", [s.onnx("Div", [s.onnx("Mul", [made.gain, correlation]), made.square])]);
    const offset = s.onnx("Neg", [s.onnx("Mul", [made.gain, meanGradient])]);
    const addend = affine({ x: centred!, scale: slope, offset });
    affine({ x: dy!, scale: made.gain, addend, output: dx! });
  },
};

interface Affine {
  readonly x: string;
  /** [C] */
  readonly scale: string;
  readonly offset?: string;
  readonly addend?: string;
  readonly relu?: boolean;
  readonly output?: string;
}

function helpers(node: Node, emit: Lowering) {
  const s: Steps = steps(emit);
  const shape = sizes(node.inputs[0]!);
  const [batch, channels] = shape as [number, number];
  return {
    s,
    shape,
    /** The mean of each channel: [C]. */
    average(x: string, output?: string): string {
      const images = s.reshape(s.blocked("GlobalAveragePool", [x]), [batch, channels]);
      return s.onnx("Mul", [s.sumFirst(images), s.number(1 / batch)], {}, output);
    },
    /** scale * x + offset + addend, rectified. */
    affine({ x, scale, offset = "", addend, relu = false, output }: Affine): string {
      const filter = s.reshape(scale, [channels, 1, 1, 1]);
      const inputs = [x, filter, ...(addend === undefined ? [offset] : [offset, addend])];
      return s.blocked(
        "Conv",
        inputs.at(-1) === "" ? inputs.slice(0, -1) : inputs,
        {
          ...POINTWISE,
          group: channels,
          ...(relu && { activation: "Relu" }),
        },
        output,
      );
    },
    /** weight / deviation, the deviation, and its square: [C]. */
    gain(weight: string, variance: string) {
      const square = s.onnx("Add", [variance, s.number(int(node.attributes, "eps"))]);
      const deviation = s.onnx("Sqrt", [square]);
      return { gain: s.onnx("Div", [weight, deviation]), deviation, square };
    },
  };
}
