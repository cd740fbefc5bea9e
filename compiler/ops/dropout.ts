import { elementwise } from "./elementwise.js";

export const dropout = elementwise({
  name: "dropout",
  doc: "Zeroes values with the given probability while training and scales up the others; the identity afterwards.",
  arguments: [{ name: "probability", type: "number", min: 0, max: 1, doc: "Share of the values that become zero." }],
  trainingOnly: true,
  onnx: "Identity",
  // While training a product with a mask has taken its place (compiler/training/training_mode.ts); else the identity.
  gradient: (_f, dy) => dy,
});
