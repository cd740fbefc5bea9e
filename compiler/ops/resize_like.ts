import { word } from "./attributes.js";
import type { Operator } from "./operator.js";
import { tensor } from "../words/schema.js";
import { MODE, resizeGradient, RESIZING } from "./resizing.js";
import { featureMap, reshaped } from "./shapes.js";
import { writer } from "./write.js";

/**
 * Height and width of another map: [N, C, H, W], [N, D, h, w] to [N, C, h, w]. `nearest` takes the value at
 * floor(i * H / h), as torch's interpolate does; `bilinear` goes between the middles of pixels.
 */
export const resizeLike: Operator = {
  name: "resize_like",
  doc: "Enlarges or shrinks height and width to those of another map.",
  layer: { arguments: { map: tensor("The map whose height and width are taken."), mode: MODE }, strideOf: "map" },
  shapeOnly: [1],
  infer([x, like]) {
    const [map, other] = [featureMap(x, "resize_like"), featureMap(like, "resize_like")];
    return [reshaped(x, [map.batch, map.channels, other.height, other.width])];
  },
  label: () => "upsample",
  lower(node, emit) {
    const w = writer(node, emit);
    const [x, like] = w.inputs as readonly [string, string];
    const part = (of: string, from: number, suffix: string): string =>
      w.slice(w.step("Shape", [of], "shape"), 0, from, from + 2, suffix);
    const sizes = w.concat([part(x, 0, "kept"), part(like, 2, "wanted")], 0, "sizes");
    w.give("Resize", [x, "", "", sizes], RESIZING[word(node.attributes, "mode")]);
  },
  gradient: ({ inputs: [x], attributes }, [dy], builder) =>
    dy === undefined ? [] : [resizeGradient(builder, dy, x!, word(attributes, "mode"))],
};
