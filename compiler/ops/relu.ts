import { elementwise } from "./elementwise.js";

export const relu = elementwise({
  name: "relu",
  doc: "max(x, 0).",
  cutsOff: true,
  onnx: "Relu",
  gradient: (f, dy, _x, y) => f.apply("relu_gradient", [dy, y], { algorithm: "compare" }),
});
