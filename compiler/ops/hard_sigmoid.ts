import { elementwise } from "./elementwise.js";

export const hardSigmoid = elementwise({
  name: "hard_sigmoid",
  doc: "clip(x / 6 + 1/2, 0, 1).",
  onnx: "HardSigmoid",
  onnxAttributes: () => ({ alpha: { float: 1 / 6 }, beta: { float: 0.5 } }),
  gradient: (f, dy, _x, y) => f.times(dy, f.affine(f.times(f.positive(y), f.positive(f.complement(y))), 1 / 6)),
});
