import type { Lowering } from "../lowering.js";
import { int, word } from "../attributes.js";
import { sizes } from "../formula.js";
import type { Node, Operator } from "../operator.js";
import { channelsOf, known, reshaped } from "../shapes.js";
import { scalar } from "../tensor/arithmetic.js";
import { writeChannelSum } from "../tensor/reductions.js";

/**
 * Batch norm while training: x [N, C, ...], weight, bias [C] to y, and the batch's mean and variance (divided by the
 * number of values, not by one less) [C]. Ioffe and Szegedy, arXiv:1502.03167, algorithm 1. `algorithm`:
 *
 * - `onnx`: ONNX's own operator, where that can train
 * - `written`: in the simplest ones
 *
 * On a GPU `norm_train` takes its place (compiler/passes/norms-on-gpu.ts).
 */
export const bnTrain: Operator = {
  name: "bn_train",
  doc: "Batch normalisation by the batch's own statistics.",
  fullPrecision: true,
  infer([x]) {
    const statistic = reshaped(x, [channelsOf(x, "bn_train")]);
    return [known(x), statistic, statistic];
  },
  algorithms: (_node, target) => [
    { name: "written", seconds: 2 },
    ...(target === "cpu" ? [{ name: "onnx", seconds: 1 }] : []),
  ],
  // ONNX Runtime's blocked convolution, which it is written as, adds a tensor and rectifies in the same pass.
  blocked: {
    op: "blocked_bn_train",
    inputs: [0],
    outputs: [0],
    taken: "always",
    attributes: ({ eps }) => ({ eps: eps! }),
    absorbs: [
      { op: "add", as: "input" },
      { op: "relu", attribute: "relu" },
    ],
    keeps: { output: 3, with: 1 },
  },
  lower(node, emit) {
    if (word(node.attributes, "algorithm") === "onnx") lowerDirect(node, emit);
    else lowerWritten(node, emit);
  },
  // dx = a dy + b x + c, per channel: gamma / sigma (dy - mean(dy) - xhat mean(dy xhat)), sorted by what varies.
  gradient(node, [dy], builder) {
    if (dy === undefined) return [];
    const [x, weight] = node.inputs;
    const [, mean, variance] = node.outputs;
    return builder.apply("bn_train_gradient", [dy, x!, weight!, mean!, variance!], {
      eps: int(node.attributes, "eps"),
    });
  },
};

function lowerDirect(node: Node, emit: Lowering): void {
  const [x, weight, bias] = node.inputs.map((input) => emit.name(input));
  const { dtype } = node.inputs[1]!.type;
  // Running statistics that nobody reads: with momentum 0 the second and third outputs are the batch's own. They are
  // written in place of these inputs, so every node needs tensors of its own, made in every run.
  const zero = emit.constant([0], dtype, []);
  const [zeros, others] = [emit.temporary("running_mean"), emit.temporary("running_var")];
  emit.node("Mul", [weight!, zero], [zeros]);
  emit.node("Mul", [bias!, zero], [others]);
  emit.node(
    "BatchNormalization",
    [x!, weight!, bias!, zeros, others],
    node.outputs.map((output) => emit.name(output)),
    { epsilon: { float: int(node.attributes, "eps") }, momentum: { float: 0 }, training_mode: 1 },
  );
}

function lowerWritten(node: Node, emit: Lowering): void {
  const [x, weight, bias] = node.inputs;
  const [y, mean, variance] = node.outputs.map((output) => emit.name(output));
  const shape = sizes(x!);
  const channels = shape[1]!;
  const count = shape.reduce((product, dim) => product * dim, 1) / channels;
  const { step, perChannel } = channelSteps(shape, emit);
  const total = emit.temporary("total");
  const over = scalar(1 / count, x!.type, emit);
  writeChannelSum(emit.name(x!), shape, total, emit, "total");
  emit.node("Mul", [total, over], [mean!]);
  const centred = step("Sub", [emit.name(x!), perChannel(mean!, "mean")], "centred");
  const squares = step("Mul", [centred, centred], "squares");
  const spread = emit.temporary("spread");
  writeChannelSum(squares, shape, spread, emit, "spread");
  emit.node("Mul", [spread, over], [variance!]);
  const eps = scalar(int(node.attributes, "eps"), x!.type, emit);
  const deviation = step("Sqrt", [step("Add", [variance!, eps], "shifted")], "deviation");
  const scale = perChannel(step("Div", [emit.name(weight!), deviation], "gain"), "scale");
  const scaled = step("Mul", [centred, scale], "scaled");
  emit.node("Add", [scaled, perChannel(emit.name(bias!), "offset")], [y!]);
}

/** One ONNX operator after the other, each giving the name of what it made, and [C] as it broadcasts over a map. */
function channelSteps(shape: readonly number[], emit: Lowering) {
  const step = (onnx: string, inputs: readonly string[], suffix: string): string => {
    const made = emit.temporary(suffix);
    emit.node(onnx, inputs, [made]);
    return made;
  };
  const sizes = [1, shape[1]!, ...shape.slice(2).map(() => 1)];
  return {
    step,
    perChannel: (name: string, suffix: string): string =>
      step("Reshape", [name, emit.constant(sizes, "int64")], suffix),
  };
}

/** dy, x, weight, mean, variance to the gradients of x, weight and bias: three passes over the data on a processor. */
export const bnTrainGradient: Operator = {
  name: "bn_train_gradient",
  doc: "Gradients of batch normalisation by the batch's statistics.",
  fullPrecision: true,
  infer: ([dy, , weight]) => [known(dy), known(weight), known(weight)],
  // x - mean is there from the batch norm; the mean is not needed then.
  blocked: {
    op: "blocked_bn_train_gradient",
    inputs: [0],
    outputs: [0],
    taken: "always",
    takes: [0, { keptWith: 3 }, 2, 4],
  },
  lower(node, emit) {
    const [dy, x, weight, mean, variance] = node.inputs;
    const [dx, dWeight, dBias] = node.outputs.map((output) => emit.name(output));
    const shape = sizes(x!);
    const channels = shape[1]!;
    const count = shape.reduce((product, dim) => product * dim, 1) / channels;
    const { step, perChannel } = channelSteps(shape, emit);
    const eps = scalar(int(node.attributes, "eps"), x!.type, emit);
    const deviation = step("Sqrt", [step("Add", [emit.name(variance!), eps], "shifted")], "deviation");
    // Centred before the product: sums of what is not would cancel where the mean is large.
    const centred = step("Sub", [emit.name(x!), perChannel(emit.name(mean!), "mean")], "centred");
    const products = step("Mul", [emit.name(dy!), centred], "products");
    const correlation = emit.temporary("correlation");
    writeChannelSum(products, shape, correlation, emit, "correlation");
    emit.node("Div", [correlation, deviation], [dWeight!]);
    writeChannelSum(emit.name(dy!), shape, dBias!, emit, "bias");
    const gain = step("Div", [emit.name(weight!), deviation], "gain");
    const over = scalar(-1 / count, x!.type, emit);
    // dx = gain dy + (-gain dWeight / (deviation count)) centred + (-gain dBias / count)
    const shared = step("Mul", [gain, over], "shared");
    const slope = step("Mul", [shared, step("Div", [dWeight!, deviation], "slope.raw")], "slope");
    const constant = step("Mul", [shared, dBias!], "constant");
    const first = step("Mul", [emit.name(dy!), perChannel(gain, "gain.map")], "first");
    const second = step("Mul", [centred, perChannel(slope, "slope.map")], "second");
    const third = step("Add", [second, perChannel(constant, "constant.map")], "third");
    emit.node("Add", [first, third], [dx!]);
  },
};
