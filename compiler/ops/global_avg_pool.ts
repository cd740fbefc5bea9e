import { globalPool } from "./global_pool.js";

export const globalAvgPool = globalPool({
  name: "global_avg_pool",
  doc: "Average over height and width, leaving 1x1.",
  fullPrecision: true,
  label: "avg pool",
  onnx: "GlobalAveragePool",
});
