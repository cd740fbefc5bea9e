import { int } from "./attributes.js";
import { formula, sizes } from "./formula.js";
import type { Operator, ParameterSpec } from "./operator.js";
import { channelsOf, known } from "./shapes.js";
import { number } from "../words/schema.js";

/** y = (x - running_mean) / sqrt(running_var + eps) * weight + bias, per channel; [N, C, ...] to the same. */
export const bn: Operator = {
  name: "bn",
  doc: "Batch normalisation over each channel: by the batch's statistics while training, by the running ones after.",
  layer: {
    arguments: {
      eps: number("Added to the variance.", { min: 0, default: 1e-5 }),
      momentum: number(
        "Share of the new batch in the running statistics: running = (1 - momentum) * running + momentum * batch.",
        { min: 0, max: 1, default: 0.1 },
      ),
    },
  },
  parameters(_attributes, [x]) {
    const channels = channelsOf(x, "bn");
    const spec = (name: string, role: ParameterSpec["role"], trainable: boolean, value: number): ParameterSpec => ({
      name,
      role,
      shape: [channels],
      trainable,
      init: { kind: "constant", value },
    });
    return [
      spec("weight", "scale", true, 1),
      spec("bias", "offset", true, 0),
      spec("running_mean", "running_mean", false, 0),
      spec("running_var", "running_var", false, 1),
    ];
  },
  infer([x]) {
    channelsOf(x, "bn");
    return [known(x)];
  },
  affine(attributes, parameters) {
    const eps = int(attributes, "eps");
    const [weight, bias, mean, variance] = parameters as readonly [
      Float32Array,
      Float32Array,
      Float32Array,
      Float32Array,
    ];
    const scale = Float64Array.from(weight, (gamma, channel) => gamma / Math.sqrt(variance[channel]! + eps));
    const offset = Float64Array.from(bias, (beta, channel) => beta - mean[channel]! * scale[channel]!);
    return { scale, offset };
  },
  label: () => "bn",
  lower(node, emit) {
    const inputs = node.inputs.map((input) => emit.name(input));
    emit.node("BatchNormalization", inputs, [emit.name(node.outputs[0]!)], {
      epsilon: { float: int(node.attributes, "eps") },
      // ONNX counts the other share.
      momentum: { float: 1 - int(node.attributes, "momentum") },
    });
  },
  // By the running statistics, which do not depend on x. While training, `bn_train` has taken its place.
  gradient(node, [dy], builder) {
    if (dy === undefined) return [];
    const f = formula(builder);
    const [x, weight, , mean, variance] = node.inputs;
    const rank = x!.type.shape.length;
    const inverse = f.power(f.affine(variance!, 1, int(node.attributes, "eps")), -0.5);
    const dx = f.times(dy, f.perChannel(f.times(weight!, inverse), rank));
    const centred = f.minus(x!, f.perChannel(mean!, rank));
    const dWeight = f.times(f.channelSum(f.times(dy, centred)), inverse);
    return [dx, dWeight, f.channelSum(dy), undefined, undefined];
  },
  training(node, builder) {
    const [x, weight, bias, mean, variance] = node.inputs;
    const [eps, momentum] = [int(node.attributes, "eps"), int(node.attributes, "momentum")];
    const [y, batchMean, batchVariance] = builder.apply("bn_train", [x!, weight!, bias!], {
      eps,
      algorithm: "written",
    });
    const shape = sizes(x!);
    const count = shape.reduce((product, size) => product * size, 1) / shape[1]!;
    builder.track(mean!, batchMean!, momentum, 1);
    // Of all images the variance is estimated with one value less, as PyTorch does (and Caffe); one value tells nothing.
    builder.track(variance!, batchVariance!, momentum, count > 1 ? count / (count - 1) : 1);
    return y!;
  },
};
