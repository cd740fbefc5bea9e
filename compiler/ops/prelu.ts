import { flag, int } from "./attributes.js";
import { formula, sizes } from "./formula.js";
import { writePerChannel } from "./normalisation.js";
import type { Operator } from "./operator.js";
import { channelsOf, known } from "./shapes.js";
import { writer } from "./write.js";
import { boolean, number } from "../words/schema.js";

/**
 * x where positive, else slope * x, the slope learned (He et al., arXiv:1502.01852, section 2.1): one of each channel, or
 * one of all. [N, C, ...] to the same.
 */
export const prelu: Operator = {
  name: "prelu",
  doc: "x where positive, else a learned slope times x.",
  layer: {
    arguments: {
      initial: number("What every slope is at first.", { default: 0.25 }),
      shared: boolean("Whether all channels have one slope.", { default: false }),
    },
  },
  // Not a weight for weight decay, which would pull it to a rectifier (section 2.1).
  parameters: (attributes, [x]) => [
    {
      name: "weight",
      role: "scale",
      shape: [flag(attributes, "shared") ? 1 : channelsOf(x, "prelu")],
      trainable: true,
      init: { kind: "constant", value: int(attributes, "initial") },
    },
  ],
  infer([x]) {
    channelsOf(x, "prelu");
    return [known(x)];
  },
  label: () => "prelu",
  lower(node, emit) {
    const w = writer(node, emit);
    const [x, weight] = w.inputs as readonly [string, string];
    w.give("PRelu", [x, writePerChannel(w, weight, node.inputs[0]!.type.shape.length, "slope")]);
  },
  gradient(node, [dy], builder) {
    if (dy === undefined) return [];
    const f = formula(builder);
    const [x, weight] = node.inputs;
    const rank = x!.type.shape.length;
    const open = f.positive(x!);
    const closed = f.complement(open);
    const dx = f.times(dy, f.plus(open, f.times(closed, f.perChannel(weight!, rank))));
    const products = f.times(dy, f.times(x!, closed));
    const channels = channelsOf(x!.type, "prelu");
    if (sizes(weight!)[0] === channels) return [dx, f.channelSum(products)];
    return [dx, f.sum(f.channelSum(products), [0], true)];
  },
};
