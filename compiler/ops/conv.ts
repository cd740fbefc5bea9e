import { valuesPerImage } from "./cost.js";
import { int, size2 } from "./attributes.js";
import { FILTER_ARGUMENTS, filters, requireGroups } from "./convolutions.js";
import { INITIAL } from "./initial.js";
import { sizes } from "./formula.js";
import type { Operator } from "./operator.js";
import { featureMap, reshaped } from "./shapes.js";
import { completePadding, KERNEL, onnxPads, PAD, slide, windowLabel, STRIDE } from "./windows.js";
import { integer } from "../words/schema.js";

/** y = x * weight (+ bias): [N, C, H, W], [channels, C/groups, kh, kw] (, [channels]) to [N, channels, H', W']. */
export const conv: Operator = {
  name: "conv",
  doc: "Convolution (cross-correlation, as everywhere in the field).",
  quantized: "weighted",
  layer: {
    arguments: {
      kernel: KERNEL,
      channels: integer("Number of filters, the channels of the output.", { min: 1 }),
      stride: STRIDE,
      pad: PAD,
      ...FILTER_ARGUMENTS,
    },
    initial: INITIAL,
  },
  complete: completePadding,
  parameters(attributes, [x]) {
    const [kh, kw] = size2(attributes, "kernel");
    const [given, channels, groups] = requireGroups(featureMap(x, "conv").channels, attributes, "conv");
    return filters("conv", [channels, given / groups, kh, kw], (given / groups) * kh * kw, attributes);
  },
  infer([x], attributes) {
    const map = featureMap(x, "conv");
    const [, channels] = requireGroups(map.channels, attributes, "conv");
    return [reshaped(x, [map.batch, channels, ...slide(map, attributes, "conv")])];
  },
  linear: { withBias: (attributes) => ({ ...attributes, bias: true }) },
  scale: (attributes) => size2(attributes, "stride"),
  macs([x], [y], attributes, size) {
    const [kh, kw] = size2(attributes, "kernel");
    return (valuesPerImage(y!.shape, size) * featureMap(x, "conv").channels * kh * kw) / int(attributes, "groups");
  },
  blocked: {
    op: "blocked_conv",
    inputs: [0],
    outputs: [0],
    image: 0,
    taken: "chosen",
    fits: ({ attributes }) => int(attributes, "groups") === 1,
    absorbs: [
      { op: "add", as: "input" },
      { op: "relu", attribute: "relu" },
    ],
  },
  label: (attributes) =>
    `${size2(attributes, "kernel").join("x")} conv, ${int(attributes, "channels")}${windowLabel(attributes)}`,
  lower(node, emit) {
    const { attributes } = node;
    emit.node(
      "Conv",
      node.inputs.map((input) => emit.name(input)),
      [emit.name(node.outputs[0]!)],
      {
        kernel_shape: size2(attributes, "kernel"),
        strides: size2(attributes, "stride"),
        pads: onnxPads(size2(attributes, "pad")),
        dilations: size2(attributes, "dilation"),
        group: int(attributes, "groups"),
      },
    );
  },
  gradient(node, [dy], builder) {
    if (dy === undefined) return [];
    const [x, weight, bias] = node.inputs;
    const input = sizes(x!).slice(2);
    return [
      ...builder.apply("conv_input_gradient", [dy, weight!], { ...node.attributes, input, algorithm: "transposed" }),
      ...builder.apply("conv_weight_gradient", [x!, dy], { ...node.attributes, algorithm: "columns_plain" }),
      ...(bias === undefined ? [] : builder.apply("channel_sum", [dy])),
    ];
  },
};
