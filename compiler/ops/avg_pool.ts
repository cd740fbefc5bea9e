import { flag, size2 } from "./attributes.js";
import { formula, sizes } from "./formula.js";
import { windowCounts } from "./gradients/windows.js";
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
import { boolean } from "../words/schema.js";

/** Average over each window of each channel; [N, C, H, W] to [N, C, H', W']. */
export const avgPool: Operator = {
  name: "avg_pool",
  doc: "Average over windows.",
  layer: {
    arguments: {
      kernel: KERNEL,
      stride: STRIDE,
      pad: PAD,
      ceil: CEIL,
      count_padding: boolean("Whether zeros of the padding count as values. What `ceil` adds never does.", {
        default: false,
      }),
    },
  },
  complete: completePadding,
  infer([x], attributes) {
    const map = featureMap(x, "avg_pool");
    requireSmallPadding(attributes, "avg_pool");
    return [reshaped(x, [map.batch, map.channels, ...slide(map, attributes, "avg_pool")])];
  },
  scale: (attributes) => size2(attributes, "stride"),
  label: (attributes) => `avg pool${strideLabel(attributes)}`,
  lower({ attributes, inputs, outputs }, emit) {
    const [kernel, pad, extra] = [size2(attributes, "kernel"), size2(attributes, "pad"), ceilPadding(attributes)];
    const padded = pad.some((size) => size > 0);
    const counts = flag(attributes, "count_padding") && padded;
    // Padding that counts beside padding that does not: the first is written out as zeros.
    const written = counts && extra.some((size) => size > 0);
    let x = emit.name(inputs[0]!);
    if (written) {
      const zeros = emit.temporary("padded");
      const sides = emit.constant([0, 0, ...pad, 0, 0, ...pad], "int64");
      emit.node("Pad", [x, sides], [zeros], { mode: "constant" });
      x = zeros;
    }
    emit.node("AveragePool", [x], [emit.name(outputs[0]!)], {
      kernel_shape: kernel,
      strides: size2(attributes, "stride"),
      pads: onnxPads(written ? [0, 0] : pad, extra),
      count_include_pad: counts && !written ? 1 : 0,
    });
  },
  // Each value gets a share of every window that it is in.
  gradient(node, [dy], builder) {
    if (dy === undefined) return [];
    const f = formula(builder);
    const [map, [batch, channels, ...output]] = [sizes(node.inputs[0]!).slice(2), sizes(dy)];
    const shares = windowCounts(node.attributes, map, output).map((count) => 1 / count);
    const shared = f.times(dy, builder.constant(shares, [1, 1, ...output]));
    const planes = f.reshape(shared, [batch! * channels!, 1, ...output]);
    return builder.apply("scatter_windows", [planes], { ...node.attributes, channels: channels!, input: map });
  },
};
