import { size2 } from "./attributes.js";
import { cropGradient, requireFits, writeCrop } from "./cropping.js";
import type { Operator } from "./operator.js";
import { featureMap, reshaped } from "./shapes.js";
import { size } from "../words/schema.js";

/** The middle of a map: [N, C, H, W] to [N, C, h, w]; of an odd rest the larger half goes below and to the right. */
export const crop: Operator = {
  name: "crop",
  doc: "The middle of the map, of this height and width.",
  layer: { arguments: { size: size("Height and width of what is kept.", { min: 1 }) } },
  infer([x], attributes) {
    const map = featureMap(x, "crop");
    const size = size2(attributes, "size");
    requireFits(map, size, "crop");
    return [reshaped(x, [map.batch, map.channels, ...size])];
  },
  label: (attributes) => `crop ${size2(attributes, "size").join("x")}`,
  lower: writeCrop,
  gradient: (node, [dy], builder) => (dy === undefined ? [] : [cropGradient(node, dy, builder)]),
};
