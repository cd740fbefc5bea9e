import { elementwise } from "./elementwise.js";

export const identity = elementwise({
  name: "identity",
  doc: "What arrives, unchanged.",
  trainingOnly: true,
  onnx: "Identity",
  gradient: (_f, dy) => dy,
});
