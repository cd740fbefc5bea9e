import { elementwise } from "./elementwise.js";

export const tanh = elementwise({ name: "tanh", doc: "Hyperbolic tangent.", onnx: "Tanh" });
