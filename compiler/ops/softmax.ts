import { elementwise } from "./elementwise.js";
import type { Operator } from "./operator.js";

export const softmax: Operator = {
  ...elementwise({
    name: "softmax",
    doc: "Probabilities over the channels: exp(x) / sum of exp(x) along axis 1.",
    fullPrecision: true,
    onnx: "Softmax",
    onnxAttributes: () => ({ axis: 1 }),
    gradient: (f, dy, _x, y) => f.times(y, f.minus(dy, f.sum(f.times(dy, y), [1], true))),
  }),
  endsNetwork: { output: "probabilities", input: "logits" },
};
