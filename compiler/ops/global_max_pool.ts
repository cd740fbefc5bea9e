import { globalPool } from "./global_pool.js";

export const globalMaxPool = globalPool({
  name: "global_max_pool",
  doc: "Maximum over height and width, leaving 1x1.",
  label: "max pool",
  onnx: "GlobalMaxPool",
});
