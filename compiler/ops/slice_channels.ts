import { int } from "./attributes.js";
import { ShapeError, type Operator } from "./operator.js";
import { channelsOf, known, reshaped } from "./shapes.js";
import { integer } from "../words/schema.js";

/** Channels from `from` up to `to`, which is left out: [N, C, ...] to [N, to - from, ...]. */
export const sliceChannels: Operator = {
  name: "slice_channels",
  doc: "The channels from the first argument up to the second, which is left out.",
  layer: {
    arguments: {
      from: integer("First channel, counted from 0.", { min: 0 }),
      to: integer("The channel after the last.", { min: 1 }),
    },
  },
  infer([x], attributes) {
    const given = channelsOf(x, "slice_channels");
    const [from, to] = [int(attributes, "from"), int(attributes, "to")];
    if (from >= to) throw new ShapeError(`slice_channels from ${from} to ${to} leaves nothing`);
    if (to > given) throw new ShapeError(`slice_channels to ${to} of a tensor with ${given} channels`);
    const [batch, , ...rest] = known(x).shape;
    return [reshaped(x, [batch!, to - from, ...rest])];
  },
  label: (attributes) => `channels ${int(attributes, "from")} .. ${int(attributes, "to") - 1}`,
  lower(node, emit) {
    const bound = (name: string): string => emit.constant([int(node.attributes, name)], "int64");
    const inputs = [emit.name(node.inputs[0]!), bound("from"), bound("to"), emit.constant([1], "int64")];
    emit.node("Slice", inputs, [emit.name(node.outputs[0]!)]);
  },
  gradient(node, [dy], builder) {
    if (dy === undefined) return [];
    const { shape } = node.inputs[0]!.type;
    const missing = (amount: number): number[] => shape.map((_, axis) => (axis === 1 ? amount : 0));
    const before = missing(int(node.attributes, "from"));
    const after = missing(channelsOf(node.inputs[0]!.type, "slice_channels") - int(node.attributes, "to"));
    return builder.apply("pad_axes", [dy], { before, after });
  },
};
