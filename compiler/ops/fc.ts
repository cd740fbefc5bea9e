import { valuesPerImage, valuesPerRow } from "./cost.js";
import { int, word } from "./attributes.js";
import { formula, sizes } from "./formula.js";
import { biasOf, INITIAL, INITIAL_ARGUMENTS, initialWeights } from "./initial.js";
import { formatShape, isSymbolic } from "../ir/dim.js";
import type { Attributes, TensorType, Value } from "../ir/types.js";
import { ShapeError, type GraphBuilder, type Operator } from "./operator.js";
import { featureMap, known, reshaped } from "./shapes.js";
import { writer } from "./write.js";
import { boolean, choice, integer } from "../words/schema.js";

/**
 * y = flatten(x) weight^T (+ bias): [N, ...], [channels, values] (, [channels]) to [N, channels]. With `each: pixel` the
 * same of the channels of each place: [N, C, H, W], [channels, C] to [N, channels, H, W], a 1x1 convolution with a weight
 * that files have in two dimensions.
 */
export const fc: Operator = {
  name: "fc",
  doc: "Fully connected layer. Flattens what it is given, or takes each pixel's channels.",
  quantized: "weighted",
  layer: {
    arguments: {
      channels: integer("Number of outputs.", { min: 1 }),
      bias: boolean("Whether a learned constant is added to each output.", { default: true }),
      each: choice("What it sees at once: all values of an image, or the channels of a pixel.", ["image", "pixel"], {
        default: "image",
      }),
      ...INITIAL_ARGUMENTS,
    },
    initial: INITIAL,
  },
  parameters(attributes, [x]) {
    const channels = int(attributes, "channels");
    const values = isPixelwise(attributes) ? featureMap(x, "fc").channels : flatSize(x);
    const weight = {
      name: "weight",
      role: "weight" as const,
      shape: [channels, values],
      trainable: true,
      init: initialWeights(attributes, values),
    };
    return [weight, ...biasOf("fc", attributes, channels)];
  },
  infer([x], attributes) {
    const channels = int(attributes, "channels");
    if (isPixelwise(attributes)) {
      const { batch, height, width } = featureMap(x, "fc");
      return [reshaped(x, [batch, channels, height, width])];
    }
    flatSize(x);
    return [reshaped(x, [known(x).shape[0]!, channels])];
  },
  linear: { withBias: (attributes) => ({ ...attributes, bias: true }) },
  macs([x], [y], attributes, size) {
    const values = isPixelwise(attributes) ? featureMap(x, "fc").channels : valuesPerRow(x!.shape, size);
    return values * valuesPerImage(y!.shape, size);
  },
  label: (attributes) => `fc ${int(attributes, "channels")}`,
  lower(node, emit) {
    const w = writer(node, emit);
    const [x, weight, ...bias] = w.inputs as readonly [string, string, ...string[]];
    if (isPixelwise(node.attributes)) {
      return w.give("Conv", [x, w.unsqueeze(weight, [2, 3], "filters"), ...bias], { kernel_shape: [1, 1] });
    }
    const flat = node.inputs[0]!.type.shape.length === 2 ? x : w.step("Flatten", [x], "flat", { axis: 1 });
    w.give("Gemm", [flat, weight, ...bias], { transB: 1 });
  },
  gradient(node, [dy], builder) {
    if (dy === undefined) return [];
    const f = formula(builder);
    const [x, weight, bias] = node.inputs;
    // Last: what is computed again begins where the first gradient of a segment is ready.
    const dBias = (): readonly Value[] => (bias === undefined ? [] : [f.channelSum(dy)]);
    const shape = sizes(x!);
    if (isPixelwise(node.attributes)) {
      const { dx, dFilters } = pointwiseGradients(x!, f.reshape(weight!, [...sizes(weight!), 1, 1]), dy, builder);
      return [dx, f.reshape(dFilters, sizes(weight!)), ...dBias()];
    }
    const flat = shape.length === 2 ? x! : f.reshape(x!, [shape[0]!, flatSize(x!.type)]);
    const dFlat = f.matmul(dy, weight!);
    const dx = shape.length === 2 ? dFlat : f.reshape(dFlat, shape);
    const dWeight = f.matmul(dy, flat, { left: true });
    return [dx, dWeight, ...dBias()];
  },
};

const isPixelwise = (attributes: Attributes): boolean => word(attributes, "each") === "pixel";

/** Those of the 1x1 convolution that it is by pixel. */
function pointwiseGradients(x: Value, filters: Value, dy: Value, builder: GraphBuilder) {
  const window = { kernel: [1, 1], stride: [1, 1], pad: [0, 0], dilation: [1, 1] };
  const conv = { ...window, channels: sizes(filters)[0]!, groups: 1, bias: false };
  const input = sizes(x).slice(2);
  const [dx] = builder.apply("conv_input_gradient", [dy, filters], { ...conv, input, algorithm: "transposed" });
  const [dFilters] = builder.apply("conv_weight_gradient", [x, dy], { ...conv, algorithm: "columns_plain" });
  return { dx: dx!, dFilters: dFilters! };
}

/** Number of values that each output sees. */
function flatSize(x: TensorType | undefined): number {
  const { shape } = known(x);
  const values = shape.slice(1);
  if (shape.length < 2 || values.some(isSymbolic)) {
    throw new ShapeError(
      `fc needs a size that is known when compiling, got ${formatShape(shape)}`,
      "put `global_avg_pool` first, or give the input a fixed size",
    );
  }
  return values.reduce<number>((total, size) => total * (size as number), 1);
}
