import { int } from "./attributes.js";
import { formula, sizes } from "./formula.js";
import { EPS, gainAndOffset, normGradients, writePerChannel } from "./normalisation.js";
import { ShapeError, type Operator } from "./operator.js";
import { channelsOf, known } from "./shapes.js";
import { writer } from "./write.js";
import { integer } from "../words/schema.js";

/**
 * y = (x - mean) / sqrt(variance + eps) * weight + bias, mean and variance over a group of channels of one example, the
 * whole map (Wu and He, arXiv:1803.08494): [N, C, ...] to the same. As many groups as channels make an instance norm.
 */
export const groupNorm: Operator = {
  name: "group_norm",
  doc: "Normalisation over groups of channels of each example, the same while training and after.",
  layer: {
    arguments: {
      groups: integer("Channels are split into this many groups: 32 in the paper.", { min: 1 }),
      eps: EPS,
    },
  },
  parameters(attributes, [x]) {
    const channels = channelsOf(x, "group_norm");
    requireGroups(channels, int(attributes, "groups"));
    return gainAndOffset(channels);
  },
  infer([x], attributes) {
    requireGroups(channelsOf(x, "group_norm"), int(attributes, "groups"));
    return [known(x)];
  },
  fullPrecision: true,
  label: (attributes) => `group norm, ${int(attributes, "groups")}`,
  lower(node, emit) {
    const w = writer(node, emit);
    const [x, weight, bias] = w.inputs as readonly [string, string, string];
    const { shape } = node.inputs[0]!.type;
    const groups = int(node.attributes, "groups");
    const epsilon = { epsilon: { float: int(node.attributes, "eps") } };
    if (shape.length > 2 && groups === shape[1]) {
      return w.give("InstanceNormalization", [x, weight, bias], epsilon);
    }
    // A group as one channel, which ONNX normalises over: 0 copies the batch.
    const rows = w.reshape(x, [0, groups, -1], "groups");
    const each = (value: number): string => w.numbers(Array.from({ length: groups }, () => value));
    const normal = w.step("InstanceNormalization", [rows, each(1), each(0)], "normal", epsilon);
    const fixed = shape.slice(1).every((dim) => typeof dim === "number");
    const back = fixed ? w.ints(0, ...(shape.slice(1) as readonly number[])) : w.step("Shape", [x], "shape");
    const map = w.step("Reshape", [normal, back], "map");
    const scaled = w.step("Mul", [map, writePerChannel(w, weight, shape.length, "gain")], "scaled");
    w.give("Add", [scaled, writePerChannel(w, bias, shape.length, "offset")]);
  },
  gradient(node, [dy], builder) {
    if (dy === undefined) return [];
    const [batch, ...rest] = sizes(node.inputs[0]!);
    const groups = int(node.attributes, "groups");
    const size = rest.reduce((product, dim) => product * dim, 1) / groups;
    const how = { view: [batch!, groups, size], axes: [2], eps: int(node.attributes, "eps") };
    return normGradients(formula(builder), dy, node.inputs, how);
  },
};

function requireGroups(channels: number, groups: number): void {
  if (channels % groups === 0) return;
  throw new ShapeError(`group_norm: ${channels} channels can't be split into ${groups} groups`);
}
