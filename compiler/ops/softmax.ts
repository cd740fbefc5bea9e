import { formula } from "./formula.js";
import type { Operator } from "./operator.js";
import { known } from "./shapes.js";

export const softmax: Operator = {
  name: "softmax",
  doc: "Probabilities over the channels: exp(x) / sum of exp(x) along axis 1.",
  layer: { arguments: {} },
  infer: ([x]) => [known(x)],
  fullPrecision: true,
  endsNetwork: { output: "probabilities", input: "logits" },
  label: () => "softmax",
  lower: (node, emit) => emit.node("Softmax", [emit.name(node.inputs[0]!)], [emit.name(node.outputs[0]!)], { axis: 1 }),
  gradient(node, [dy], builder) {
    if (dy === undefined) return [];
    const f = formula(builder);
    const [y] = node.outputs;
    return [f.times(y!, f.minus(dy, f.sum(f.times(dy, y!), [1], true)))];
  },
};
