import { elementwise } from "./elementwise.js";

export const hardSigmoid = elementwise({
  name: "hard_sigmoid",
  doc: "clip(x / 6 + 1/2, 0, 1).",
  onnx: "HardSigmoid",
  onnxAttributes: () => ({ alpha: { float: 1 / 6 }, beta: { float: 0.5 } }),
});
