import { int } from "./attributes.js";
import { formula } from "./formula.js";
import { writePerChannel } from "./normalisation.js";
import type { Operator } from "./operator.js";
import { channelsOf, known } from "./shapes.js";
import { writer } from "./write.js";
import { number } from "../words/schema.js";

/**
 * y = x * weight, one learned factor a channel: [N, C, ...] to the same. ConvNeXt's layer scale (arXiv:2103.17239,
 * equation 3) begins with 1e-6, the one behind SSD's L2 norm (arXiv:1512.02325, section 3.1) with 20.
 */
export const scale: Operator = {
  name: "scale",
  doc: "Each channel times a learned factor.",
  layer: { arguments: { initial: number("What every factor is at first.") } },
  parameters: (attributes, [x]) => [
    {
      name: "weight",
      role: "scale",
      shape: [channelsOf(x, "scale")],
      trainable: true,
      init: { kind: "constant", value: int(attributes, "initial") },
    },
  ],
  infer([x]) {
    channelsOf(x, "scale");
    return [known(x)];
  },
  affine: (_attributes, [weight]) => ({
    scale: Float64Array.from(weight!),
    offset: new Float64Array(weight!.length),
  }),
  label: () => "scale",
  lower(node, emit) {
    const w = writer(node, emit);
    const [x, weight] = w.inputs as readonly [string, string];
    w.give("Mul", [x, writePerChannel(w, weight, node.inputs[0]!.type.shape.length, "factor")]);
  },
  gradient(node, [dy], builder) {
    if (dy === undefined) return [];
    const f = formula(builder);
    const [x, weight] = node.inputs;
    return [f.times(dy, f.perChannel(weight!, x!.type.shape.length)), f.channelSum(f.times(dy, x!))];
  },
};
