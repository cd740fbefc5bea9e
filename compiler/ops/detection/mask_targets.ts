import { mul, type Dim } from "../../ir/dim.js";
import { flag, size2 } from "../attributes.js";
import type { Operator } from "../operator.js";
import { floats, forms } from "./forms.js";
import { GRID } from "./pooled.js";
import { boolean, tensor } from "../../words/schema.js";
import { writer } from "../write.js";

/**
 * boxes [N, P, 4], and of each image G objects: masks [N, G, h, w], how much of each cell is of the object, and frames
 * [N, G, 4], where those cells lie; objects int64 [N, P] and labels [N, P] say of which object a box is, and whether it is of
 * one. To [N * P, size]: averages of the mask over the bins of each box, as RoI Align takes them from a map with as many
 * points as a bin has cells; 0 of what is of no object. `aligned` as of `roi_align`: otherwise a pixel's value is at its corner
 * (torchvision's `project_masks_on_boxes`), wherever the cells are larger than pixels, too.
 */
export const maskTargets: Operator = {
  name: "mask_targets",
  doc: "What the mask of each box should be: that of its object, averaged over the bins of the box.",
  layer: {
    arguments: {
      masks: tensor("How much of each cell is of the object, for each object of each image."),
      frames: tensor("Where those cells lie, corners in pixels."),
      objects: tensor("Of which object each box is."),
      labels: tensor("Which boxes are of an object, 1 or not."),
      size: GRID,
      aligned: boolean("Pixels' middles are at halves.", { default: true }),
    },
  },
  fullPrecision: true,
  gradient: "none",
  complete: (attributes) => ({ aligned: true, ...attributes }),
  infer(inputs, attributes) {
    const rows = ["N", "P"];
    const wanted = {
      boxes: [...rows, 4],
      masks: ["N", "G", "h", "w"],
      frames: ["N", "G", 4],
      objects: rows,
      labels: rows,
    };
    const [[batch, boxes]] = forms("mask_targets", wanted, inputs) as [readonly Dim[]];
    return [floats(mul(batch!, boxes!), ...size2(attributes, "size"))];
  },
  lower(node, emit) {
    const w = writer(node, emit);
    const [boxes, masks, frames, objects, labels] = w.inputs as readonly [string, string, string, string, string];
    const [given, each] = [node.inputs[1]!, node.inputs[0]!];
    const images = w.unsqueeze(w.range(w.size(each, 0), "int64", "images"), [1], "images.column");
    const first = w.step("Mul", [images, w.size(given, 1)], "first");
    const own = w.reshape(w.step("Add", [first, objects], "objects.all"), [-1], "objects.row");
    const frame = w.step("Gather", [w.reshape(frames, [-1, 4], "frames.rows"), own], "frames.own");
    const [start, end] = [w.slice(frame, 1, 0, 2, "start"), w.slice(frame, 1, 2, 4, "end")];
    const counts = w.cast(w.concat([w.size(given, 3), w.size(given, 2)], 0, "cells"), "float32", "cells.number");
    // Of rows that are no object the frame has no size.
    const size = w.step("Max", [w.step("Sub", [end, start], "frame"), w.number(1e-6)], "frame.some");
    const density = w.step("Div", [counts, size], "density");
    const twice = (x: string, suffix: string): string => w.concat([x, x], 1, suffix);
    const away = w.step("Sub", [w.reshape(boxes, [-1, 4], "boxes.rows"), twice(start, "starts")], "away");
    const placed = w.step("Mul", [away, twice(density, "densities")], "placed");
    const half = w.step("Mul", [twice(density, "densities.half"), w.number(0.5)], "half");
    const aligned = flag(node.attributes, "aligned");
    // Before opset 16 the operator knew no half cell.
    const early = emit.opset < 16;
    const shift = aligned ? (early ? w.number(-0.5) : undefined) : w.step("Sub", [half, w.number(0.5)], "shift");
    const cells = shift === undefined ? placed : w.step("Add", [placed, shift], "placed.shifted");
    const isObject = w.unsqueeze(
      w.step("Greater", [w.reshape(labels, [-1], "labels.row"), w.number(0.5)], "is"),
      [1],
      "is_object",
    );
    const regions = w.step("Where", [isObject, cells, w.number(0)], "regions");
    const map = w.reshape(masks, [-1, 1, w.size(given, 2), w.size(given, 3)], "map");
    const [height, width] = size2(node.attributes, "size");
    const pooled = w.step("RoiAlign", [map, regions, own], "pooled", {
      output_height: height,
      output_width: width,
      sampling_ratio: 0,
      spatial_scale: { float: 1 },
      ...(early ? {} : { coordinate_transformation_mode: aligned ? "half_pixel" : "output_half_pixel" }),
    });
    const flat = w.step("Squeeze", [pooled, w.ints(1)], "flat");
    w.give("Where", [w.unsqueeze(isObject, [2], "is_object.mask"), flat, w.number(0)]);
  },
};
