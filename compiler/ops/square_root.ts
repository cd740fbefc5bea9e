import { elementwise } from "./elementwise.js";

/** Not `sqrt`, which is a function of numbers in the language. */
export const squareRoot = elementwise({
  name: "square_root",
  doc: "The square root; of what is below 0 there is none.",
  onnx: "Sqrt",
  gradient: (f, dy, _x, y) => f.over(f.affine(dy, 0.5), y),
});
