import { int } from "./attributes.js";
import { elementwise } from "./elementwise.js";
import { number } from "../words/schema.js";

export const leakyRelu = elementwise({
  name: "leaky_relu",
  doc: "x where positive, else slope * x.",
  arguments: { slope: number("Slope where x is negative.", { default: 0.01 }) },
  onnx: "LeakyRelu",
  onnxAttributes: (attributes) => ({ alpha: { float: int(attributes, "slope") } }),
  gradient(f, dy, x, _y, node) {
    const slope = int(node.attributes, "slope");
    return f.times(dy, f.affine(f.positive(x), 1 - slope, slope));
  },
});
