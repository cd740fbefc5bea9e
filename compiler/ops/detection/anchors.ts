/** Anchors, and what a network says of each: maps of channels become rows in the anchors' order, (row, column, anchor). */
import { mul, type Dim } from "../../ir/dim.js";
import type { Attributes } from "../../ir/types.js";
import { roundHalfEven } from "../../rounding.js";
import { int, size2, word } from "../attributes.js";
import { formula, sizes } from "../formula.js";
import { ShapeError, type GraphBuilder, type Operator, type Value } from "../operator.js";
import { featureMap } from "../shapes.js";
import { ints } from "../tensor/shape.js";
import { floats, forms } from "./forms.js";
import { choice, integer, number, numbers, numbersOr, tensor } from "../../words/schema.js";
import { writer, type Writer } from "../write.js";

/** Corners x1, y1, x2, y2 of one anchor around its cell's origin, of a size and a ratio of height to width. */
type Corners = (size: number, ratio: number) => readonly [number, number, number, number];

/** The three ways in which codebases make them. */
const ROUNDING: Readonly<Record<string, Corners>> = {
  /** Detectron2 (modeling/anchor_generator.py): an area of size^2, centred on 0. */
  none(size, ratio) {
    const width = Math.sqrt(size ** 2 / ratio);
    const height = ratio * width;
    return [-width / 2, -height / 2, width / 2, height / 2];
  },
  /** torchvision (models/detection/anchor_utils.py), in float32 as there: each corner to the nearest even whole. */
  corners(size, ratio) {
    const root = Math.fround(Math.sqrt(Math.fround(ratio)));
    const half = (side: number): number => roundHalfEven(Math.fround(side) / 2);
    const [x, y] = [half(Math.fround(1 / root) * size), half(root * size)];
    return [-x, -y, x, y];
  },
  /** py-faster-rcnn (lib/rpn/generate_anchors.py): whole sides of a 16x16 box's area, then scaled; width is x2 - x1 + 1. */
  base(size, ratio) {
    const width = roundHalfEven(Math.sqrt(256 / ratio));
    const height = roundHalfEven(width * ratio);
    const half = (side: number): number => (side * (size / 16) - 1) / 2;
    return [7.5 - half(width), 7.5 - half(height), 7.5 + half(width), 7.5 + half(height)];
  },
};

/** Anchors of one cell: [x1, y1, x2, y2] each, in the order in which the channels have them. */
export function cellAnchors(attributes: Attributes): readonly (readonly [number, number, number, number])[] {
  const [sizes, ratios] = [ints(attributes, "sizes"), ints(attributes, "ratios")];
  const corners = ROUNDING[word(attributes, "rounding")]!;
  const order = word(attributes, "order");
  if (order === "paired") {
    if (sizes.length === ratios.length) return sizes.map((size, index) => corners(size, ratios[index]!));
    throw new ShapeError(`anchors in pairs need as many ratios as sizes, not ${ratios.length} for ${sizes.length}`);
  }
  return order === "by_size"
    ? sizes.flatMap((size) => ratios.map((ratio) => corners(size, ratio)))
    : ratios.flatMap((ratio) => sizes.map((size) => corners(size, ratio)));
}

/**
 * map [N, C, h, w], image [N, 3, H, W] to [h * w * A, 4]: an anchor of every `sizes` x `ratios` at every cell. `order`:
 * `by_size` (ratios within) or `by_ratio`; `paired`: each size with the ratio of its place alone. Cells are `step` pixels
 * apart, or `stride` [y, x] (`fixed`), or floor(H / h) and floor(W / w) (`grid`); the first is at `offset` of that.
 */
const anchors: Operator = {
  name: "anchors",
  doc: "The anchors of every cell of a feature map.",
  layer: {
    arguments: {
      image: tensor("The network's input."),
      sizes: numbers("Square roots of the anchors' areas, in pixels of the input.", { min: 1 }),
      ratios: numbers("Heights through widths.", { min: 1e-3 }),
      rounding: choice(
        "What is rounded: nothing, the corners, or the sides of a base of 16 pixels that is then enlarged.",
        ["none", "corners", "base"],
      ),
      order: choice("What changes last among the anchors of a place; `paired`: each size has its own ratio.", [
        "by_ratio",
        "by_size",
        "paired",
      ]),
      step: numbersOr(
        "Between places: the feature stride, the whole pixels that the grid leaves for each, or so many pixels.",
        ["fixed", "grid"],
        { min: 1e-3 },
      ),
      offset: number("Where the first place is, in steps.", { min: 0, default: 0 }),
    },
    byStride: (stride) => ({ stride }),
  },
  fullPrecision: true,
  gradient: "none",
  shapeOnly: [0, 1],
  complete: (attributes) => ({ offset: 0, ...attributes }),
  infer([x, image], attributes) {
    const map = featureMap(x, "anchors");
    featureMap(image, "anchors");
    stepOf(attributes);
    const each = cellAnchors(attributes).length;
    return [floats(mul(mul(map.height, map.width), each), 4)];
  },
  lower(node, emit) {
    const w = writer(node, emit);
    const [map, image] = node.inputs;
    const { attributes } = node;
    const cells = cellAnchors(attributes);
    /** Where the cells are along height (2) or width (3), on the coordinates of that axis alone: [h, 1, 1, 4]. */
    const along = (axis: 2 | 3): string => {
      const count = w.size(map!, axis);
      const known = stepOf(attributes)?.[axis - 2];
      const step =
        known === undefined ? w.cast(w.step("Div", [w.size(image!, axis), count], "step"), "float32") : w.number(known);
      const cells = w.range(count, "float32", "cells");
      const offset = int(attributes, "offset");
      const moved = offset === 0 ? cells : w.step("Add", [cells, w.number(offset)], "moved");
      const places = w.step("Mul", [moved, step], "places");
      const row = w.unsqueeze(places, axis === 2 ? [1, 2, 3] : [0, 2, 3], "axis");
      return w.step("Mul", [row, w.numbers(axis === 2 ? [0, 1, 0, 1] : [1, 0, 1, 0])], "shifts");
    };
    const shifts = w.step("Add", [along(2), along(3)], "shifts");
    const all = w.step("Add", [shifts, w.numbers(cells.flat(), [cells.length, 4])], "all");
    w.give("Reshape", [all, w.ints(-1, 4)]);
  },
};

/** Pixels between the cells along y and x; undefined where the grid decides. */
function stepOf(attributes: Attributes): readonly [number, number] | undefined {
  const { step } = attributes;
  if (step === "grid") return undefined;
  if (step === "fixed") return size2(attributes, "stride");
  const [y, x = y, ...more] = ints(attributes, "step");
  if (y === undefined || more.length > 0)
    throw new ShapeError("anchors: `step` is one number, or one for y and one for x");
  return [y, x!];
}

/** [N, channels, h, w] as rows of `values` channels: [N, h * w * channels / values, values]. */
function writeRows(w: Writer, map: string, values: number | undefined): void {
  const last = w.step("Transpose", [map], "channels_last", { perm: [0, 2, 3, 1] });
  w.give("Reshape", [last, values === undefined ? w.ints(0, -1) : w.ints(0, -1, values)]);
}

/** map [N, A * values, h, w] to [N, h * w * A, values]: what is said of each anchor; channel = anchor * values + value. */
const anchorValues: Operator = {
  name: "anchor_values",
  doc: "The values of each anchor, from a map with a group of channels for each.",
  layer: { arguments: { values: integer("Channels of each anchor.", { min: 1 }) } },
  fullPrecision: true,
  gradient({ inputs: [map], attributes }, [dy], builder) {
    return dy === undefined ? [] : [fromRows(builder, dy, sizes(map!), int(attributes, "values"))];
  },
  infer([x], attributes) {
    const { batch, channels, height, width } = featureMap(x, "anchor_values");
    const values = int(attributes, "values");
    return [floats(batch, mul(mul(height, width), groups("anchor_values", channels, values)), values)];
  },
  lower(node, emit) {
    const w = writer(node, emit);
    writeRows(w, w.inputs[0]!, int(node.attributes, "values"));
  },
};

/**
 * map [N, A * K, h, w] to [N, K, h * w * A]: what is said of each class at each anchor, classes as channels; in the map
 * channel = anchor * K + class.
 */
const anchorClasses: Operator = {
  name: "anchor_classes",
  doc: "What a map says of each class at each anchor, the classes as channels.",
  layer: { arguments: { classes: integer("Classes of each anchor.", { min: 1 }) } },
  fullPrecision: true,
  gradient({ inputs: [map], attributes }, [dy], builder) {
    if (dy === undefined) return [];
    const f = formula(builder);
    const [batch, channels, height, width] = sizes(map!) as [number, number, number, number];
    const classes = int(attributes, "classes");
    const split = f.reshape(dy, [batch, classes, height, width, channels / classes]);
    return [f.reshape(f.transpose(split, [0, 4, 1, 2, 3]), sizes(map!))];
  },
  infer([x], attributes) {
    const { batch, channels, height, width } = featureMap(x, "anchor_classes");
    const classes = int(attributes, "classes");
    return [floats(batch, classes, mul(mul(height, width), groups("anchor_classes", channels, classes)))];
  },
  lower(node, emit) {
    const w = writer(node, emit);
    const map = node.inputs[0]!;
    const classes = int(node.attributes, "classes");
    const each = featureMap(map.type, "anchor_classes").channels / classes;
    if (each === 1) return w.give("Reshape", [w.inputs[0]!, w.ints(0, 0, -1)]);
    const split = w.reshape(w.inputs[0]!, [0, each, classes, -1], "anchors");
    const last = w.step("Transpose", [split], "anchors_last", { perm: [0, 2, 3, 1] });
    w.give("Reshape", [last, w.ints(0, classes, -1)]);
  },
};

/**
 * map to [N, h * w * A], how likely each anchor is an object, as a logit. `kind`: `sigmoid`, a channel an anchor;
 * `softmax`, [N, 2 * A, h, w], the A of the background first (py-faster-rcnn): the difference of the two is the logit.
 */
const anchorLogits: Operator = {
  name: "anchor_logits",
  doc: "The logit of each anchor for being an object.",
  layer: {
    arguments: {
      kind: choice("Two channels an anchor, those of the background first, or one.", ["softmax", "sigmoid"]),
    },
  },
  fullPrecision: true,
  gradient({ inputs: [map], attributes }, [dy], builder) {
    if (dy === undefined) return [];
    if (word(attributes, "kind") === "sigmoid") return [fromRows(builder, dy, sizes(map!), 1)];
    const [batch, channels, ...place] = sizes(map!) as [number, number, number, number];
    const object = fromRows(builder, dy, [batch, channels / 2, ...place], 1);
    const background = formula(builder).affine(object, -1);
    return builder.apply("concat_rows", [background, object], { axis: 1 });
  },
  infer([x], attributes) {
    const { batch, channels, height, width } = featureMap(x, "anchor_logits");
    const each = word(attributes, "kind") === "softmax" ? groups("anchor_logits", channels, 2) : channels;
    return [floats(batch, mul(mul(height, width), each))];
  },
  lower(node, emit) {
    const w = writer(node, emit);
    const [map] = w.inputs;
    if (word(node.attributes, "kind") === "sigmoid") return writeRows(w, map!, undefined);
    const each = featureMap(node.inputs[0]!.type, "anchor_logits").channels / 2;
    const [background, object] = [w.slice(map!, 1, 0, each, "background"), w.slice(map!, 1, each, 2 * each, "object")];
    writeRows(w, w.step("Sub", [object, background], "logit"), undefined);
  },
};

/** What rows [N, h * w * A, values] were made of: a map [N, A * values, h, w]. */
function fromRows(builder: GraphBuilder, rows: Value, map: readonly number[], values: number): Value {
  const f = formula(builder);
  const [batch, channels, height, width] = map as readonly [number, number, number, number];
  const split = f.reshape(rows, [batch, height, width, channels / values, values]);
  return f.reshape(f.transpose(split, [0, 3, 4, 1, 2]), [batch, channels, height, width]);
}

function groups(operator: string, channels: number, size: number): number {
  if (channels % size === 0) return channels / size;
  throw new ShapeError(`${operator}: ${channels} channels can't be split into groups of ${size}`);
}

/** x [R, K * 4] to [R, K, 4]: the four values of each class. */
const splitClasses: Operator = {
  name: "split_classes",
  doc: "Four values of each class, from rows with those of all.",
  layer: { arguments: {} },
  fullPrecision: true,
  gradient({ inputs: [x] }, [dy], builder) {
    return dy === undefined ? [] : [formula(builder).reshape(dy, sizes(x!))];
  },
  infer(inputs) {
    const [[rows, values]] = forms("split_classes", { values: ["R", "4K"] }, inputs) as [readonly Dim[]];
    return [floats(rows!, classes(values!), 4)];
  },
  lower(node, emit) {
    const w = writer(node, emit);
    // The number of classes is stated: nothing could be told from no rows.
    w.give("Reshape", [w.inputs[0]!, w.ints(0, classes(node.inputs[0]!.type.shape[1]!), 4)]);
  },
};

function classes(values: Dim): number {
  if (typeof values === "number") return groups("split_classes", values, 4);
  throw new ShapeError("split_classes needs a known number of values");
}

export const ANCHORS: readonly Operator[] = [anchors, anchorValues, anchorClasses, anchorLogits, splitClasses];
