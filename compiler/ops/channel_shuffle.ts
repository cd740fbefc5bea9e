import { int } from "./attributes.js";
import { ShapeError, type Operator } from "./operator.js";
import { channelsOf, known } from "./shapes.js";
import { integer } from "../words/schema.js";

/**
 * The channels dealt out in turn: with g groups of n, channel j * g + i is what channel i * n + j was (ShuffleNet,
 * arXiv:1707.01083, section 3.1). [N, C, ...] to the same.
 */
export const channelShuffle: Operator = {
  name: "channel_shuffle",
  doc: "The first channel of each group, then the second of each, and so on.",
  layer: { arguments: { groups: integer("Groups whose channels take turns.", { min: 1 }) } },
  infer([x], attributes) {
    const [channels, groups] = [channelsOf(x, "channel_shuffle"), int(attributes, "groups")];
    if (channels % groups === 0) return [known(x)];
    throw new ShapeError(`channel_shuffle: ${channels} channels can't be split into ${groups} groups`);
  },
  label: (attributes) => `shuffle, ${int(attributes, "groups")}`,
  lower(node, emit) {
    const [x] = node.inputs;
    const channels = channelsOf(x!.type, "channel_shuffle");
    const groups = int(node.attributes, "groups");
    const from = Array.from(
      { length: channels },
      (_, c) => (c % groups) * (channels / groups) + Math.floor(c / groups),
    );
    emit.node("Gather", [emit.name(x!), emit.constant(from, "int64")], [emit.name(node.outputs[0]!)], { axis: 1 });
  },
  gradient(node, [dy], builder) {
    if (dy === undefined) return [];
    const channels = channelsOf(node.inputs[0]!.type, "channel_shuffle");
    return builder.apply("channel_shuffle", [dy], { groups: channels / int(node.attributes, "groups") });
  },
};
