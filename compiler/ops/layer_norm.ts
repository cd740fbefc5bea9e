import { int } from "./attributes.js";
import { formula, sizes } from "./formula.js";
import { EPS, gainAndOffset, normGradients, writePerChannel } from "./normalisation.js";
import type { Operator } from "./operator.js";
import { channelsOf, known } from "./shapes.js";
import { writer } from "./write.js";

/**
 * y = (x - mean) / sqrt(variance + eps) * weight + bias, mean and variance over the channels of one place of one example
 * (Ba et al., arXiv:1607.06450): [N, C, ...] to the same. Of [N, C] it is torch's LayerNorm, of a map ConvNeXt's
 * LayerNorm2d.
 */
export const layerNorm: Operator = {
  name: "layer_norm",
  doc: "Normalisation over the channels of each place, the same while training and after.",
  layer: { arguments: { eps: EPS } },
  parameters: (_attributes, [x]) => gainAndOffset(channelsOf(x, "layer_norm")),
  infer([x]) {
    channelsOf(x, "layer_norm");
    return [known(x)];
  },
  fullPrecision: true,
  label: () => "layer norm",
  lower(node, emit) {
    const w = writer(node, emit);
    const [x, weight, bias] = w.inputs as readonly [string, string, string];
    const rank = node.inputs[0]!.type.shape.length;
    const epsilon = int(node.attributes, "eps");
    // The operator came with opset 17, and knows the last axes alone.
    if (rank === 2 && w.opset >= 17) {
      return w.give("LayerNormalization", [x, weight, bias], { axis: 1, epsilon: { float: epsilon } });
    }
    const centred = w.step("Sub", [x, w.reduce("Mean", x, [1], "mean", true)], "centred");
    const variance = w.reduce("Mean", w.step("Mul", [centred, centred], "squares"), [1], "variance", true);
    const deviation = w.step("Sqrt", [w.step("Add", [variance, w.number(epsilon)], "shifted")], "deviation");
    const normal = w.step("Div", [centred, deviation], "normal");
    const scaled = w.step("Mul", [normal, writePerChannel(w, weight, rank, "gain")], "scaled");
    w.give("Add", [scaled, writePerChannel(w, bias, rank, "offset")]);
  },
  gradient(node, [dy], builder) {
    if (dy === undefined) return [];
    const how = { view: sizes(node.inputs[0]!), axes: [1], eps: int(node.attributes, "eps") };
    return normGradients(formula(builder), dy, node.inputs, how);
  },
};
