/** The pictures of a batch: what is known about each, and smaller and larger copies of them. */
import { unknownSize, type Dim } from "../../ir/dim.js";
import { flag, int } from "../attributes.js";
import type { Operator } from "../operator.js";
import { featureMap, reshaped } from "../shapes.js";
import { floats, forms } from "./forms.js";
import { writer } from "./write.js";

/**
 * image [N, C, H, W], given [M, 6] to [N, 6], a row a picture: height and width in the tensor, height and width of
 * the original, and the scales from original to tensor along y and x. The rows are those that are given; with M = 0
 * every picture fills its tensor and was not scaled: H, W, H, W, 1, 1.
 */
const imageInfo: Operator = {
  name: "image_info",
  doc: "Sizes and scales of the pictures of a batch: those given, else the tensor's own.",
  fullPrecision: true,
  gradient: "none",
  infer(inputs) {
    const [[batch]] = forms("image_info", { image: ["N", "C", "H", "W"], rows: ["M", 6] }, inputs) as [readonly Dim[]];
    return [floats(batch!, 6)];
  },
  lower(node, emit) {
    const w = writer(node, emit);
    const image = node.inputs[0]!;
    const batch = w.size(image, 0);
    const sides = w.cast(w.concat([w.size(image, 2), w.size(image, 3)], 0, "sides"), "float32");
    const row = w.concat([sides, sides, w.numbers([1, 1])], 0, "row");
    const rows = w.concat([w.inputs[1]!, w.expand(row, [batch, 6], "filled")], 0, "rows");
    w.give("Slice", [rows, w.ints(0), batch, w.ints(0)]);
  },
};

/** info [N, 6] to [N, 5]: each picture's own box as a region, from 0 to its width and height (less 1 if inclusive). */
const wholeImages: Operator = {
  name: "whole_images",
  doc: "The whole of each picture as a region.",
  fullPrecision: true,
  gradient: "none",
  infer(inputs) {
    const [[batch]] = forms("whole_images", { info: ["N", 6] }, inputs) as [readonly Dim[]];
    return [floats(batch!, 5)];
  },
  lower(node, emit) {
    const w = writer(node, emit);
    const info = node.inputs[0]!;
    const batch = w.size(info, 0);
    const images = w.unsqueeze(w.range(batch, "float32", "images"), [1], "column");
    let corner = w.step("Gather", [w.inputs[0]!, w.ints(1, 0)], "corner", { axis: 1 });
    if (flag(node.attributes, "inclusive")) corner = w.step("Sub", [corner, w.number(1)], "last");
    w.give("Concat", [images, w.expand(w.number(0), [batch, 2], "origin"), corner], { axis: 1 });
  },
};

/**
 * [N, C, H, W] to [N, C, floor(H * factor), floor(W * factor)], the products in float64: linear between the middles of
 * pixels (half pixel), by the ratio of the sizes, without antialiasing.
 */
const rescale: Operator = {
  name: "rescale",
  doc: "Pictures larger or smaller by a factor, interpolated linearly.",
  fullPrecision: true,
  gradient: "none",
  infer([image], attributes) {
    const map = featureMap(image, "rescale");
    const factor = int(attributes, "factor");
    const scaled = (size: Dim, name: string): Dim =>
      typeof size === "number" ? Math.floor(size * factor) : unknownSize(name);
    return [reshaped(image, [map.batch, map.channels, scaled(map.height, "height"), scaled(map.width, "width")])];
  },
  lower(node, emit) {
    const w = writer(node, emit);
    const image = node.inputs[0]!;
    const sides = w.cast(w.concat([w.size(image, 2), w.size(image, 3)], 0, "sides"), "float64");
    const product = w.step("Mul", [sides, emit.constant([int(node.attributes, "factor")], "float64")], "scaled");
    const scaled = w.cast(w.step("Floor", [product], "whole"), "int64");
    const shape = w.concat([w.size(image, 0), w.size(image, 1), scaled], 0, "sizes");
    w.give("Resize", [w.inputs[0]!, "", "", shape], { mode: "linear", coordinate_transformation_mode: "half_pixel" });
  },
};

export const PICTURES: readonly Operator[] = [imageInfo, wholeImages, rescale];
