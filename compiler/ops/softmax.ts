import { elementwise } from "./elementwise.js";

export const softmax = elementwise({
  name: "softmax",
  doc: "Probabilities over the channels: exp(x) / sum of exp(x) along axis 1.",
  fullPrecision: true,
  onnx: "Softmax",
  onnxAttributes: () => ({ axis: 1 }),
});
