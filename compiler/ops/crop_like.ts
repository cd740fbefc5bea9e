import { cropGradient, requireFits, writeCrop } from "./cropping.js";
import type { Operator } from "./operator.js";
import { tensor } from "../words/schema.js";
import { featureMap, reshaped } from "./shapes.js";

/**
 * The middle of a map, as high and wide as another: [N, C, H, W], [N, D, h, w] to [N, C, h, w]. How U-Net (arXiv:1505.04597,
 * figure 1) fits what it copies across.
 */
export const cropLike: Operator = {
  name: "crop_like",
  doc: "The middle of the map, as high and wide as another map.",
  layer: { arguments: { map: tensor("The map whose height and width are taken.") } },
  shapeOnly: [1],
  infer([x, like]) {
    const [map, other] = [featureMap(x, "crop_like"), featureMap(like, "crop_like")];
    requireFits(map, [other.height, other.width], "crop_like");
    return [reshaped(x, [map.batch, map.channels, other.height, other.width])];
  },
  label: () => "crop",
  lower: writeCrop,
  gradient: (node, [dy], builder) => (dy === undefined ? [] : [cropGradient(node, dy, builder)]),
};
