import { int } from "./attributes.js";
import { elementwise } from "./elementwise.js";
import { formula, sizes } from "./formula.js";
import { number } from "../words/schema.js";

/** Stochastic depth (Huang et al., arXiv:1603.09382), torchvision's in its mode "row": last in a residual branch. */
export const dropPath = elementwise({
  name: "drop_path",
  doc: "Zeroes whole examples with the given probability while training and scales up the others; the identity afterwards.",
  arguments: { probability: number("Share of the examples that become zero.", { min: 0, max: 1 }) },
  trainingOnly: true,
  onnx: "Identity",
  gradient: (_f, dy) => dy,
  // One number an example; kept where it is at least the probability, as dropout keeps values.
  training(node, builder) {
    const f = formula(builder);
    const [x] = node.inputs;
    const probability = int(node.attributes, "probability");
    const limit = builder.constant(Float32Array.of(probability), []);
    const scale = probability < 1 ? 1 / (1 - probability) : 0;
    const examples = sizes(x!).map((size, axis) => (axis === 0 ? size : 1));
    return f.times(x!, f.affine(f.less(builder.noise(examples), limit), -scale, scale));
  },
});
