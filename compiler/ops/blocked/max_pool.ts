import { size2 } from "../attributes.js";
import { maxPool } from "../max_pool.js";
import type { Operator } from "../operator.js";
import { ceilPadding, onnxPads } from "../windows.js";
import { inputNames, steps } from "./steps.js";

export const blockedMaxPool: Operator = {
  name: "blocked_max_pool",
  doc: "A maximum over windows in the blocked layout.",
  infer: (inputs, attributes) => maxPool.infer(inputs, attributes),
  lower(node, emit) {
    const { attributes } = node;
    const written = {
      kernel_shape: size2(attributes, "kernel"),
      strides: size2(attributes, "stride"),
      pads: onnxPads(size2(attributes, "pad"), ceilPadding(attributes)),
      dilations: [1, 1],
    };
    steps(emit).blocked("MaxPool", inputNames(node, emit), written, emit.name(node.outputs[0]!));
  },
};
