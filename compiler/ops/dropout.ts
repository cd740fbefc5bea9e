import { int } from "./attributes.js";
import { elementwise } from "./elementwise.js";
import { formula, sizes } from "./formula.js";
import { number } from "../words/schema.js";

export const dropout = elementwise({
  name: "dropout",
  doc: "Zeroes values with the given probability while training and scales up the others; the identity afterwards.",
  arguments: { probability: number("Share of the values that become zero.", { min: 0, max: 1 }) },
  trainingOnly: true,
  onnx: "Identity",
  gradient: (_f, dy) => dy,
  // What is kept is scaled up, so that its expectation stays; kept where the random number is at least the probability.
  training(node, builder) {
    const f = formula(builder);
    const [x] = node.inputs;
    const probability = int(node.attributes, "probability");
    const limit = builder.constant(Float32Array.of(probability), []);
    const scale = probability < 1 ? 1 / (1 - probability) : 0;
    return f.times(x!, f.affine(f.less(builder.noise(sizes(x!)), limit), -scale, scale));
  },
});
