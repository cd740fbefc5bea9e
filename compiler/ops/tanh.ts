import { elementwise } from "./elementwise.js";

export const tanh = elementwise({
  name: "tanh",
  doc: "Hyperbolic tangent.",
  onnx: "Tanh",
  gradient: (f, dy, _x, y) => f.times(dy, f.complement(f.times(y, y))),
});
