import { elementwise } from "./elementwise.js";

export const sigmoid = elementwise({
  name: "sigmoid",
  doc: "1 / (1 + exp(-x)).",
  onnx: "Sigmoid",
  gradient: (f, dy, _x, y) => f.times(dy, f.times(y, f.complement(y))),
});
