import { ceilDiv } from "../ir/dim.js";
import { size2 } from "./attributes.js";
import { sizes } from "./formula.js";
import type { Operator } from "./operator.js";
import { featureMap, reshaped } from "./shapes.js";
import { strideLabel } from "./windows.js";
import { size } from "../words/schema.js";

/** Every n-th row and column, from the first: [N, C, H, W] to [N, C, ceil(H/n), ceil(W/n)]. */
export const subsample: Operator = {
  name: "subsample",
  doc: "Keeps every n-th row and column, from the first.",
  layer: {
    arguments: { stride: size("Distance between the rows and columns that are kept.", { min: 1 }) },
  },
  infer([x], attributes) {
    const map = featureMap(x, "subsample");
    const [sh, sw] = size2(attributes, "stride");
    return [reshaped(x, [map.batch, map.channels, ceilDiv(map.height, sh), ceilDiv(map.width, sw)])];
  },
  scale: (attributes) => size2(attributes, "stride"),
  blocked: {
    op: "blocked_max_pool",
    inputs: [0],
    outputs: [0],
    taken: "given",
    attributes: ({ stride }) => ({ stride: stride!, kernel: [1, 1], pad: [0, 0], ceil: false }),
  },
  label: (attributes) => `subsample${strideLabel(attributes)}`,
  // Slice with steps is as fast alone, but ends ONNX Runtime's blocked layout between convolutions; a pool keeps it.
  lower(node, emit) {
    emit.node("MaxPool", [emit.name(node.inputs[0]!)], [emit.name(node.outputs[0]!)], {
      kernel_shape: [1, 1],
      strides: size2(node.attributes, "stride"),
    });
  },
  gradient(node, [dy], builder) {
    if (dy === undefined) return [];
    const stride = [...size2(node.attributes, "stride")];
    return builder.apply("dilate", [dy], { stride, size: sizes(node.inputs[0]!).slice(2) });
  },
};
