import { elementwise } from "./elementwise.js";

export const relu = elementwise({ name: "relu", doc: "max(x, 0).", onnx: "Relu" });
