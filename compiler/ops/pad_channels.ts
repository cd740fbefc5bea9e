import { int } from "./attributes.js";
import { ShapeError, type Operator } from "./operator.js";
import { channelsOf, known, reshaped } from "./shapes.js";
import { integer } from "../words/schema.js";

/** Zero channels appended (shortcut option A, section 4.1): [N, C, ...] to [N, channels, ...]. */
export const padChannels: Operator = {
  name: "pad_channels",
  doc: "Zero channels appended until there are as many as given.",
  layer: { arguments: { channels: integer("Channels afterwards.", { min: 1 }) } },
  infer([x], attributes) {
    const [given, wanted] = [channelsOf(x, "pad_channels"), int(attributes, "channels")];
    if (wanted < given) {
      throw new ShapeError(
        `pad_channels can't make ${wanted} channels of ${given}`,
        "`slice_channels 0, n` keeps the first n channels",
      );
    }
    const [batch, , ...rest] = known(x).shape;
    return [reshaped(x, [batch!, wanted, ...rest])];
  },
  label: (attributes) => `pad to ${int(attributes, "channels")}`,
  lower(node, emit) {
    const [x] = node.inputs;
    const others = x!.type.shape.slice(2).map(() => 0);
    const missing = int(node.attributes, "channels") - channelsOf(x!.type, "pad_channels");
    const pads = emit.constant([0, 0, ...others, 0, missing, ...others], "int64");
    emit.node("Pad", [emit.name(x!), pads], [emit.name(node.outputs[0]!)], { mode: "constant" });
  },
  gradient(node, [dy], builder) {
    if (dy === undefined) return [];
    const to = channelsOf(node.inputs[0]!.type, "pad_channels");
    return builder.apply("slice_channels", [dy], { from: 0, to });
  },
};
