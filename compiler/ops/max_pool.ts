import { size2 } from "./attributes.js";
import type { Operator } from "./operator.js";
import { featureMap, reshaped } from "./shapes.js";
import {
  CEIL,
  ceilPadding,
  completePadding,
  KERNEL,
  onnxPads,
  PAD,
  requireSmallPadding,
  slide,
  strideLabel,
  STRIDE,
} from "./windows.js";

/** Maximum over each window of each channel, padding left out; [N, C, H, W] to [N, C, H', W']. */
export const maxPool: Operator = {
  name: "max_pool",
  doc: "Maximum over windows.",
  quantized: "keeps",
  layer: { arguments: { kernel: KERNEL, stride: STRIDE, pad: PAD, ceil: CEIL } },
  complete: completePadding,
  infer([x], attributes) {
    const map = featureMap(x, "max_pool");
    requireSmallPadding(attributes, "max_pool");
    return [reshaped(x, [map.batch, map.channels, ...slide(map, attributes, "max_pool")])];
  },
  scale: (attributes) => size2(attributes, "stride"),
  blocked: { op: "blocked_max_pool", inputs: [0], outputs: [0], taken: "given" },
  label: (attributes) => `pool${strideLabel(attributes)}`,
  // Rounding up is written as padding: padding is left out of a maximum anyway, and ONNX's own ceil_mode has meant
  // different things in different versions.
  lower({ attributes, inputs, outputs }, emit) {
    emit.node("MaxPool", [emit.name(inputs[0]!)], [emit.name(outputs[0]!)], {
      kernel_shape: size2(attributes, "kernel"),
      strides: size2(attributes, "stride"),
      pads: onnxPads(size2(attributes, "pad"), ceilPadding(attributes)),
    });
  },
  gradient(node, [dy], builder) {
    if (dy === undefined) return [];
    return builder.apply("max_pool_gradient", [dy, node.inputs[0]!, node.outputs[0]!], {
      ...node.attributes,
      algorithm: "windows",
    });
  },
};
