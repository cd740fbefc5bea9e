import { valuesPerImage } from "./cost.js";
import { int, size2 } from "./attributes.js";
import { FILTER_ARGUMENTS, filters, requireGroups } from "./convolutions.js";
import { INITIAL } from "./initial.js";
import { add, formatDim, mul, type Dim } from "../ir/dim.js";
import { ShapeError, type Operator } from "./operator.js";
import { featureMap, requirePositive, reshaped, type FeatureMap } from "./shapes.js";
import { isMisreadOnWebgpu, writeTransposed } from "./transposed.js";
import { completePadding, KERNEL, PAD, PAD_DEFAULT, windowLabel, STRIDE } from "./windows.js";
import { sizes } from "./formula.js";
import type { Attributes } from "../ir/types.js";
import { integer, size } from "../words/schema.js";

/**
 * The transpose of a convolution, which spreads each value by the kernel: [N, C, H, W], [C, channels/groups, kh, kw]
 * (, [channels]) to [N, channels, H', W'], H' = (H - 1) stride - 2 pad + dilation (kh - 1) + output_pad + 1 (Zeiler et
 * al. 2010; torch's ConvTranspose2d).
 */
export const convTranspose: Operator = {
  name: "conv_transpose",
  doc: "Transposed convolution: with a stride above 1 it enlarges the map.",
  layer: {
    arguments: {
      kernel: KERNEL,
      channels: integer("Channels of the output.", { min: 1 }),
      stride: { ...STRIDE, doc: "How far apart the input's values are spread: /2 doubles height and width." },
      pad: { ...PAD, doc: `Rows and columns cut off on each side; ${PAD_DEFAULT}` },
      output_pad: size("Rows below and columns to the right more.", { min: 0, default: [0, 0] }),
      ...FILTER_ARGUMENTS,
    },
    initial: INITIAL,
  },
  complete: completePadding,
  // Its fan-in is what each output sums up, on average of its places.
  parameters(attributes, [x]) {
    const [[kh, kw], [sh, sw]] = [size2(attributes, "kernel"), size2(attributes, "stride")];
    const [given, channels, groups] = requireGroups(
      featureMap(x, "conv_transpose").channels,
      attributes,
      "conv_transpose",
    );
    const fanIn = Math.max(1, ((given / groups) * kh * kw) / (sh * sw));
    return filters("conv_transpose", [given, channels / groups, kh, kw], fanIn, attributes);
  },
  infer([x], attributes) {
    const map = featureMap(x, "conv_transpose");
    const [, channels] = requireGroups(map.channels, attributes, "conv_transpose");
    return [reshaped(x, [map.batch, channels, ...spread(map, attributes)])];
  },
  linear: {
    withBias: (attributes) => ({ ...attributes, bias: true }),
    outputsOf(attributes, [given, outputs]) {
      const groups = int(attributes, "groups");
      return { groups, inputs: given! / groups, outputs: outputs! };
    },
  },
  scale(attributes) {
    const [down, across] = size2(attributes, "stride");
    return [1 / down, 1 / across];
  },
  macs([x], [y], attributes, size) {
    const [kh, kw] = size2(attributes, "kernel");
    const perValue = ((y!.shape[1] as number) * kh * kw) / int(attributes, "groups");
    return valuesPerImage(x!.shape, size) * perValue;
  },
  label: (attributes) =>
    `${size2(attributes, "kernel").join("x")} conv transpose, ${int(attributes, "channels")}${windowLabel(attributes)}`,
  lower(node, emit) {
    const weight = sizes(node.inputs[1]!);
    writeTransposed(node, emit, size2(node.attributes, "output_pad"), isMisreadOnWebgpu(weight, node.attributes));
  },
  // A convolution's gradients with input and output exchanged: its weight is this one.
  gradient(node, [dy], builder) {
    if (dy === undefined) return [];
    const [x, weight, bias] = node.inputs;
    const { output_pad: _, ...window } = node.attributes;
    const conv = { ...window, channels: sizes(x!)[1]!, bias: false };
    return [
      ...builder.apply("conv", [dy, weight!], conv),
      ...builder.apply("conv_weight_gradient", [dy, x!], { ...conv, algorithm: "columns_plain" }),
      ...(bias === undefined ? [] : builder.apply("channel_sum", [dy])),
    ];
  },
};

/** Height and width of what the values are spread to. */
function spread(map: FeatureMap, attributes: Attributes): readonly [Dim, Dim] {
  const [kernel, stride, pad] = [size2(attributes, "kernel"), size2(attributes, "stride"), size2(attributes, "pad")];
  const [dilation, more] = [size2(attributes, "dilation"), size2(attributes, "output_pad")];
  const along = (size: Dim, axis: 0 | 1): Dim => {
    if (more[axis] >= stride[axis]) {
      throw new ShapeError(
        `conv_transpose: output_pad ${more.join("x")} is not smaller than the stride ${stride.join("x")}`,
        "it chooses among the sizes that a convolution of this stride makes the same; a larger map is `pad`'s",
      );
    }
    const taps = dilation[axis] * (kernel[axis] - 1) + 1;
    const made = add(mul(add(size, -1), stride[axis]), taps + more[axis] - 2 * pad[axis]);
    requirePositive(
      made,
      () =>
        `conv_transpose: the padding ${pad.join("x")} leaves nothing of ${formatDim(map.height)}x${formatDim(map.width)} ` +
        `spread by a ${kernel.join("x")} kernel`,
      "use less padding",
    );
    return made;
  };
  return [along(map.height, 0), along(map.width, 1)];
}
