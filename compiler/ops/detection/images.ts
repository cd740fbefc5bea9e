/** The images of a batch: what is known about each. */
import type { Dim } from "../../ir/dim.js";
import { flag, word } from "../attributes.js";
import type { Operator } from "../operator.js";
import { floats, forms } from "./forms.js";
import { boolean, choice } from "../../words/schema.js";
import { INCLUSIVE } from "./arguments.js";
import { writer } from "../write.js";

/**
 * image [N, C, H, W], given [M, 6] to [N, 6], a row an image: height and width in the tensor, height and width of
 * the original, and the scales from original to tensor along y and x. The rows are those that are given; with M = 0
 * every image fills its tensor and was not scaled: H, W, H, W, 1, 1.
 */
const imageInfo: Operator = {
  name: "image_info",
  doc: "Sizes and scales of the images of a batch: those given, else the tensor's own.",
  fullPrecision: true,
  gradient: "none",
  shapeOnly: [0],
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

/** info [N, 6] to [N, 5]: each image's own box as a region, from 0 to its width and height (less 1 if inclusive). */
const wholeImages: Operator = {
  name: "whole_images",
  doc: "The whole of each image as a region.",
  layer: { arguments: { inclusive: INCLUSIVE } },
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

/** Which columns of what is known about an image. */
const COLUMNS: Readonly<Record<string, readonly number[]>> = {
  /** Height and width in the tensor, and of the original. */
  size: [0, 1],
  original: [2, 3],
  /** From original to tensor along y and x; along x alone. */
  scale: [4, 5],
  enlargement: [5],
};

/** info [N, 6] to the columns called `what`, [N, k]; with `apart` [N, 1, k], to broadcast over an image's boxes. */
const imageValues: Operator = {
  name: "image_values",
  doc: "Sizes or scales of the images of a batch.",
  layer: {
    arguments: {
      what: choice(
        "Height and width in the tensor, those of the original, the scale along y and x, or along x alone.",
        ["size", "original", "scale", "enlargement"],
      ),
      apart: boolean("[N, 1, k], to broadcast over an image's boxes.", { default: false }),
    },
  },
  fullPrecision: true,
  gradient: "none",
  complete: (attributes) => ({ apart: false, ...attributes }),
  infer(inputs, attributes) {
    const [[batch]] = forms("image_values", { info: ["N", 6] }, inputs) as [readonly Dim[]];
    const { length } = COLUMNS[word(attributes, "what")]!;
    return [flag(attributes, "apart") ? floats(batch!, 1, length) : floats(batch!, length)];
  },
  lower(node, emit) {
    const w = writer(node, emit);
    const columns = COLUMNS[word(node.attributes, "what")]!;
    const [from, to] = [columns[0]!, columns.at(-1)! + 1];
    if (!flag(node.attributes, "apart")) return w.give("Slice", [w.inputs[0]!, w.ints(from), w.ints(to), w.ints(1)]);
    w.give("Unsqueeze", [w.slice(w.inputs[0]!, 1, from, to, "values"), w.ints(1)]);
  },
};

export const IMAGES: readonly Operator[] = [imageInfo, wholeImages, imageValues];
