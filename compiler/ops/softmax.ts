import { elementwise } from "./elementwise.js";
import type { Operator } from "./operator.js";

export const softmax: Operator = {
  ...elementwise({
    name: "softmax",
    doc: "Probabilities over the channels: exp(x) / sum of exp(x) along axis 1.",
    fullPrecision: true,
    onnx: "Softmax",
    onnxAttributes: () => ({ axis: 1 }),
  }),
  endsNetwork: { output: "probabilities", input: "logits" },
};
