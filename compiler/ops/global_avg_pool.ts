import { formula, sizes } from "./formula.js";
import { globalPool } from "./global_pool.js";

export const globalAvgPool = globalPool({
  name: "global_avg_pool",
  doc: "Average over height and width, leaving 1x1.",
  fullPrecision: true,
  quantized: "mixes",
  label: "avg pool",
  onnx: "GlobalAveragePool",
  gradient(node, [dy], builder) {
    if (dy === undefined) return [];
    const [f, shape] = [formula(builder), sizes(node.inputs[0]!)];
    return [f.expand(f.affine(dy, 1 / (shape[2]! * shape[3]!)), shape)];
  },
});
