import { mul } from "../ir/dim.js";
import { size2, word } from "./attributes.js";
import { formula } from "./formula.js";
import type { Operator } from "./operator.js";
import { MODE, resizeGradient, RESIZING } from "./resizing.js";
import { featureMap, reshaped } from "./shapes.js";
import { size } from "../words/schema.js";

/**
 * Enlargement by whole factors: [N, C, H, W] to [N, C, aH, bW]. `nearest` repeats values; `bilinear` interpolates
 * between the middles of pixels (PyTorch's align_corners=False), and edges continue outwards.
 */
export const upsample: Operator = {
  name: "upsample",
  doc: "Enlarges height and width by a whole factor.",
  layer: {
    arguments: {
      factor: size("How many times as high and as wide.", { min: 1 }),
      mode: MODE,
    },
  },
  infer([x], attributes) {
    const map = featureMap(x, "upsample");
    const [a, b] = size2(attributes, "factor");
    return [reshaped(x, [map.batch, map.channels, mul(map.height, a), mul(map.width, b)])];
  },
  scale(attributes) {
    const [a, b] = size2(attributes, "factor");
    return [1 / a, 1 / b];
  },
  label: (attributes) => `upsample, x${size2(attributes, "factor").join("x")}`,
  lower(node, emit) {
    const scales = emit.constant([1, 1, ...size2(node.attributes, "factor")], "float32");
    const how = RESIZING[word(node.attributes, "mode")];
    emit.node("Resize", [emit.name(node.inputs[0]!), "", scales], [emit.name(node.outputs[0]!)], how);
  },
  gradient(node, [dy], builder) {
    if (dy === undefined) return [];
    const factor = size2(node.attributes, "factor");
    if (word(node.attributes, "mode") === "nearest") {
      const options = { kernel: [...factor], stride: [...factor], pad: [0, 0], ceil: false, count_padding: false };
      return [formula(builder).affine(builder.apply("avg_pool", [dy], options)[0]!, factor[0] * factor[1])];
    }
    return [resizeGradient(builder, dy, node.inputs[0]!, "bilinear")];
  },
};
