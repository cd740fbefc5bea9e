/**
 * Which boxes are of which object while a detector is trained. Objects are rows for each image, as many as the image with the
 * most of them has: `present` tells those of an image from the rows that only fill up.
 */
import type { Dim } from "../../ir/dim.js";
import { flag, int, word } from "../attributes.js";
import type { Attributes, Operator } from "../operator.js";
import { known } from "../shapes.js";
import { writeSizes } from "./boxes.js";
import { floats, forms, integers } from "./forms.js";
import { choice, number, tensor } from "../../words/schema.js";
import { INCLUSIVE } from "./arguments.js";
import { writer, type Writer } from "../write.js";

/** What no overlap is as small as: of a pair that does not count. */
const NO_PAIR = -1;

/**
 * boxes [A, 4] for all images alike, or [N, A, 4], objects [N, G, 4] to their intersections over unions, [N, A, G]: 0 where
 * both have no area.
 */
const boxIou: Operator = {
  name: "box_iou",
  doc: "How much boxes overlap each object: intersection over union.",
  layer: { arguments: { objects: tensor("The boxes of the objects of each image."), inclusive: INCLUSIVE } },
  fullPrecision: true,
  gradient: "none",
  infer(inputs) {
    const { shape } = known(inputs[0]);
    const boxes = shape.length === 2 ? ["A", 4] : ["N", "A", 4];
    const [, [batch, objects]] = forms("box_iou", { boxes, objects: ["N", "G", 4] }, inputs) as [Dim[], Dim[]];
    return [floats(batch!, shape.at(-2)!, objects!)];
  },
  lower(node, emit) {
    const w = writer(node, emit);
    const [boxes, objects] = w.inputs as readonly [string, string];
    const one = flag(node.attributes, "inclusive") ? 1 : undefined;
    const own = (index: number): string => w.unsqueeze(w.column(boxes, index, `boxes.${index}`), [-1], "boxes.column");
    const theirs = (index: number): string =>
      w.unsqueeze(w.column(objects, index, `objects.${index}`), [1], "objects.row");
    // An axis at a time: pairs of corners would take twice the memory.
    const shared = (axis: number): string => {
      const end = w.step("Min", [own(axis + 2), theirs(axis + 2)], "end");
      const length = w.step("Sub", [end, w.step("Max", [own(axis), theirs(axis)], "start")], "length");
      return w.step("Relu", [one ? w.step("Add", [length, w.number(one)], "pixels") : length], "shared");
    };
    const intersection = w.step("Mul", [shared(0), shared(1)], "intersection");
    const areas = w.step(
      "Add",
      [
        w.unsqueeze(writeArea(w, boxes, node.attributes), [-1], "areas.column"),
        w.unsqueeze(writeArea(w, objects, node.attributes), [1], "areas.row"),
      ],
      "areas",
    );
    const union = w.step("Sub", [areas, intersection], "union");
    w.give("Div", [intersection, w.step("Max", [union, w.number(1e-12)], "union.some")]);
  },
};

/** Of boxes [..., 4]: [...]. */
function writeArea(w: Writer, boxes: string, attributes: Attributes): string {
  const size = writeSizes(w, boxes, attributes);
  return w.step("Mul", [w.column(size, 0, "width"), w.column(size, 1, "height")], "area");
}

/**
 * overlaps [N, A, G], present [N, G] and perhaps candidates [N, A] or [A] to labels [N, A], 1 of an object, 0 of the
 * background, -1 neither, and the row of the object that each overlaps most, int64 [N, A].
 *
 * An overlap of at least `positive` is of the object, below `negative` and at least `lowest` of the background. `best`: those
 * that no other box overlaps an object more than, ties included, are `positive`, though for the object that they themselves
 * overlap most (Detectron2's and torchvision's `allow_low_quality_matches`, py-faster-rcnn's `gt_argmax_overlaps`); or the
 * first of them is `own`ed by that object (SSD). An object that no box overlaps at all is nothing's. What is no candidate is
 * neither.
 */
const match: Operator = {
  name: "match",
  doc: "Which boxes are of an object, and of which, by how much they overlap.",
  layer: {
    arguments: {
      present: tensor("Which rows are objects, 1 or 0."),
      positive: number("From this overlap on a box is of an object.", { min: 0, max: 1 }),
      negative: number("Below this overlap a box is of the background; between the two it is neither.", {
        min: 0,
        max: 1,
      }),
      lowest: number("Below this overlap it is neither.", { min: 0, max: 1, default: 0 }),
      best: choice(
        "What becomes of the boxes that overlap an object most, though less than `positive`: nothing, they are positive, or the first is that object's own.",
        ["none", "positive", "own"],
        { default: "none" },
      ),
      candidates: tensor("Which boxes may be of anything, 1 or 0.", { optional: true }),
    },
    outputs: ["labels", "objects"],
  },
  fullPrecision: true,
  gradient: "none",
  complete: (attributes) => ({ lowest: 0, best: "none", ...attributes }),
  infer(inputs) {
    const wanted = { overlaps: ["N", "A", "G"], present: ["N", "G"] };
    const candidates = inputs[2]?.shape.length === 1 ? ["A"] : ["N", "A"];
    const [[batch, boxes]] = forms("match", inputs[2] ? { ...wanted, candidates } : wanted, inputs) as [Dim[]];
    return [floats(batch!, boxes!), integers(batch!, boxes!)];
  },
  lower(node, emit) {
    const w = writer(node, emit);
    const [overlaps, present, candidates] = w.inputs as readonly [string, string, string?];
    const isTrue = (mask: string, suffix: string): string => w.step("Greater", [mask, w.number(0.5)], suffix);
    const objects = isTrue(w.unsqueeze(present, [1], "present.row"), "is_object");
    const counts =
      candidates === undefined
        ? objects
        : w.step(
            "And",
            [objects, isTrue(w.unsqueeze(candidates, [-1], "candidates.column"), "is_candidate")],
            "counts",
          );
    const pairs = w.step("Where", [counts, overlaps, w.number(NO_PAIR)], "pairs");
    const most = w.reduce("Max", pairs, [2], "most");
    const isPositive = w.step("GreaterOrEqual", [most, w.number(int(node.attributes, "positive"))], "is_positive");
    const isBelow = w.step("Less", [most, w.number(int(node.attributes, "negative"))], "is_below");
    const lowest = int(node.attributes, "lowest");
    // Of an image without objects everything is background, unless that has a least overlap.
    const enough = lowest > 0 ? w.step("GreaterOrEqual", [most, w.number(lowest)], "is_enough") : undefined;
    const isNegative = enough ? w.step("And", [isBelow, enough], "is_negative") : isBelow;
    const background = w.step("Where", [isNegative, w.number(0), w.number(-1)], "background");
    const object = w.step("ArgMax", [pairs], "object", { axis: 2, keepdims: 0 });
    const [isBest, which] = writeBest(w, word(node.attributes, "best"), pairs, object);
    // One after the other: WebGPU has no Or.
    const others =
      isBest === undefined ? background : w.step("Where", [isBest, w.number(1), background], "labels.best");
    const labels = w.step("Where", [isPositive, w.number(1), others], "labels.all");
    if (candidates === undefined) w.give("Identity", [labels], {}, 0);
    else w.give("Where", [isTrue(candidates, "may_be"), labels, w.number(-1)], {}, 0);
    w.give("Identity", [which], {}, 1);
  },
};

/** Which boxes an object has as its best, and of which object each box is. */
function writeBest(w: Writer, best: string, pairs: string, object: string): readonly [string | undefined, string] {
  if (best === "none") return [undefined, object];
  const some = w.step("Greater", [pairs, w.number(0)], "overlaps");
  if (best === "positive") {
    const most = w.reduce("Max", pairs, [1], "most.object", true);
    const reach = w.step("And", [w.step("Equal", [pairs, most], "is_most"), some], "reaches");
    const any = w.reduce("Max", w.cast(reach, "float32", "reaches.number"), [2], "is_best");
    return [w.step("Greater", [any, w.number(0.5)], "is_some_best"), object];
  }
  const first = w.step("ArgMax", [pairs], "first", { axis: 1, keepdims: 1 });
  const numbers = w.unsqueeze(w.range(w.sizeOf(pairs, 1), "int64", "boxes"), [0, 2], "boxes.column");
  const owned = w.step("And", [w.step("Equal", [numbers, first], "is_first"), some], "is_owned");
  // Of two objects with the same best box the later has it, as an assignment one after the other leaves it.
  const turns = w.unsqueeze(w.range(w.sizeOf(pairs, 2), "float32", "objects"), [0, 1], "objects.row");
  const owner = w.reduce("Max", w.step("Where", [owned, turns, w.number(-1)], "owners"), [2], "owner");
  const isOwned = w.step("GreaterOrEqual", [owner, w.number(0)], "has_owner");
  const which = w.step("Where", [isOwned, w.cast(owner, "int64", "owner.row"), object], "object.owned");
  return [isOwned, which];
}

/** labels [...] to two masks of the same shape, 1 or 0: those of an object, and those that are one or the other. */
const labelMasks: Operator = {
  name: "label_masks",
  doc: "Which boxes are of an object, and of which it is known whether they are.",
  layer: { arguments: {}, outputs: ["positives", "known"] },
  fullPrecision: true,
  gradient: "none",
  infer(inputs) {
    const [shape] = forms("label_masks", { labels: ["N", "..."] }, inputs);
    return [floats(...shape!), floats(...shape!)];
  },
  lower(node, emit) {
    const w = writer(node, emit);
    for (const [index, limit] of [0.5, -0.5].entries()) {
      const truth = w.step("Greater", [w.inputs[0]!, w.number(limit)], "is");
      w.give("Cast", [truth], { to: 1 }, index);
    }
  },
};

/**
 * boxes [A, 4] or [N, A, 4], extents [N, 1, 2] = height and width to [N, A]: 1 for those inside of their image, which may
 * reach over its border by so many pixels.
 */
const boxesInside: Operator = {
  name: "boxes_inside",
  doc: "Which boxes lie inside of their images.",
  layer: {
    arguments: {
      extent: tensor("Height and width of each image."),
      border: number("How many pixels they may reach over.", { default: 0 }),
      inclusive: INCLUSIVE,
    },
  },
  fullPrecision: true,
  gradient: "none",
  complete: (attributes) => ({ border: 0, inclusive: false, ...attributes }),
  infer(inputs) {
    const { shape } = known(inputs[0]);
    const boxes = shape.length === 2 ? ["A", 4] : ["N", "A", 4];
    const [, [batch]] = forms("boxes_inside", { boxes, extent: ["N", 1, 2] }, inputs) as [Dim[], Dim[]];
    return [floats(batch!, shape.at(-2)!)];
  },
  lower(node, emit) {
    const w = writer(node, emit);
    const [boxes, extent] = w.inputs as readonly [string, string];
    const border = int(node.attributes, "border");
    const side = (index: number): string => w.column(boxes, index, `boxes.${index}`);
    const beyond = (index: number): string =>
      w.step("Sub", [side(index), w.column(extent, 3 - index, "length")], "beyond");
    const starts = w.step("Min", [side(0), side(1)], "first");
    const over = w.step("Max", [beyond(2), beyond(3)], "over");
    // The last pixel of a box may be the image's last.
    const limit = border - (flag(node.attributes, "inclusive") ? 1 : 0);
    const within = [
      w.step("GreaterOrEqual", [starts, w.number(-border)], "from_start"),
      w.step("LessOrEqual", [over, w.number(limit)], "to_end"),
    ];
    w.give("Cast", [w.step("And", within, "inside")], { to: 1 });
  },
};

export const MATCHING: readonly Operator[] = [boxIou, match, labelMasks, boxesInside];
