import { valuesPerImage } from "./cost.js";
import { flag, int, size2 } from "./attributes.js";
import { sizes } from "./formula.js";
import { ShapeError, type Operator } from "./operator.js";
import { featureMap, reshaped } from "./shapes.js";
import { completePadding, KERNEL, onnxPads, PAD, slide, windowLabel, STRIDE } from "./windows.js";
import { boolean, integer, size } from "../words/schema.js";

/** y = x * weight (+ bias): [N, C, H, W], [channels, C/groups, kh, kw] (, [channels]) to [N, channels, H', W']. */
export const conv: Operator = {
  name: "conv",
  doc: "Convolution (cross-correlation, as everywhere in the field).",
  layer: {
    arguments: {
      kernel: KERNEL,
      channels: integer("Number of filters, the channels of the output.", { min: 1 }),
      stride: STRIDE,
      pad: PAD,
      dilation: size("Distance between the kernel's taps.", { min: 1, default: [1, 1] }),
      groups: integer("Channels are split into this many separate groups.", { min: 1, default: 1 }),
      bias: boolean("Whether a learned constant is added to each channel.", { default: false }),
    },
  },
  complete: completePadding,
  // He et al. 2015 (section 3.4, [13]): variance 2 / (kernel area x input channels of the filter).
  parameters(attributes, [x]) {
    const { channels: given } = featureMap(x, "conv");
    const [kh, kw] = size2(attributes, "kernel");
    const [channels, groups] = [int(attributes, "channels"), int(attributes, "groups")];
    requireGroups(given, channels, groups);
    const fanIn = (given / groups) * kh * kw;
    const weight = {
      name: "weight",
      role: "weight" as const,
      shape: [channels, given / groups, kh, kw],
      trainable: true,
      init: { kind: "he_normal" as const, fanIn },
    };
    if (!flag(attributes, "bias")) return [weight];
    const zero = { kind: "constant" as const, value: 0 };
    return [weight, { name: "bias", role: "bias" as const, shape: [channels], trainable: true, init: zero }];
  },
  infer([x], attributes) {
    const map = featureMap(x, "conv");
    requireGroups(map.channels, int(attributes, "channels"), int(attributes, "groups"));
    return [reshaped(x, [map.batch, int(attributes, "channels"), ...slide(map, attributes, "conv")])];
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

function requireGroups(given: number, channels: number, groups: number): void {
  if (given % groups !== 0) throw new ShapeError(`conv: ${given} input channels can't be split into ${groups} groups`);
  if (channels % groups !== 0) throw new ShapeError(`conv: ${channels} channels can't be split into ${groups} groups`);
}
