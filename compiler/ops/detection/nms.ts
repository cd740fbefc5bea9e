/**
 * Non-maximum suppression: of boxes that overlap more than `iou` (strictly), the best scored stays. ONNX knows no
 * boxes that include their last pixel; moved out by one pixel on the far side, theirs is the same overlap. As ONNX has
 * it, a box whose corners are the wrong way round counts as turned, and one without area overlaps nothing.
 */
import { mul, unknownSize, type Dim } from "../../ir/dim.js";
import type { Attributes } from "../../ir/types.js";
import { flag, int } from "../attributes.js";
import type { Operator } from "../operator.js";
import { count, floats, forms, integers, type Form } from "./forms.js";
import { writeRowsByImage } from "./by_image.js";
import { FINITE, IN, LOWEST } from "./scores.js";
import { integer, number, tensor } from "../../words/schema.js";
import { INCLUSIVE, IOU } from "./arguments.js";
import { writer, type Writer } from "../write.js";

/** boxes [B, T, 4], scores [B, K, T] to the rows (b, k, t) of those that stay and whose score is above a threshold. */
function writeNms(
  w: Writer,
  boxes: string,
  scores: string,
  attributes: Attributes,
  keep: string,
  threshold: number,
): string {
  const outer = flag(attributes, "inclusive") ? w.step("Add", [boxes, w.numbers([0, 0, 1, 1])], "boxes.outer") : boxes;
  const numbers = [w.numbers([int(attributes, "iou")]), w.numbers([threshold])];
  return w.step("NonMaxSuppression", [outer, scores, keep, ...numbers], "selected");
}

/**
 * boxes [N, T, 4], scores [N, T], and perhaps labels int64 [N, T], to scores, LOWEST for what is suppressed by a better box
 * of its image (and its label), for all beyond the best `keep` of those that stay, and for scores not above `threshold`.
 * Ties: the first is the better.
 */
const nms: Operator = {
  name: "nms",
  doc: "Scores without those of boxes that overlap better ones.",
  layer: {
    arguments: {
      scores: tensor("The scores of the boxes that arrive."),
      iou: IOU,
      keep: integer("How many of an image stay, at most; with labels of each label.", { min: 1 }),
      inclusive: INCLUSIVE,
      labels: tensor("Boxes of different labels don't suppress one another.", { optional: true }),
      threshold: number("Scores up to this are out.", { optional: true }),
    },
  },
  fullPrecision: true,
  gradient: "none",
  infer(inputs) {
    const labels: Record<string, Form> = inputs.length > 2 ? { labels: ["N", "T"] } : {};
    const [, shape] = forms("nms", { boxes: ["N", "T", 4], scores: ["N", "T"], ...labels }, inputs);
    return [floats(...shape!)];
  },
  lower(node, emit) {
    const w = writer(node, emit);
    const [boxes, scores, labels] = w.inputs as readonly [string, string, string | undefined];
    const rows = w.unsqueeze(scores, [1], "scores.class");
    const ofLabels = labels === undefined ? rows : writeByLabel(w, rows, labels);
    const threshold = Math.max((node.attributes["threshold"] as number | undefined) ?? IN, IN);
    const keep = w.ints(int(node.attributes, "keep"));
    const selected = writeNms(w, boxes, ofLabels, node.attributes, keep, threshold);
    const places = w.step("Gather", [selected, w.ints(0, 2)], "places", { axis: 1 });
    const kept = w.step("GatherND", [scores, places], "kept");
    const size = (axis: number): string => w.size(node.inputs[1]!, axis);
    w.give("ScatterND", [w.expand(w.number(LOWEST), [size(0), size(1)], "lowest"), places, kept]);
  },
};

/**
 * scores [N, 1, T] and labels [N, T] to [N, K, T], as many as the largest label wants: LOWEST but for the scores of each
 * label. ONNX suppresses such planes apart, on the same boxes.
 */
function writeByLabel(w: Writer, scores: string, labels: string): string {
  // With a 0 more there is one, even of no boxes.
  const all = w.concat([w.reshape(labels, [-1], "labels.flat"), w.ints(0)], 0, "labels.some");
  const count = w.step("Add", [w.reduce("Max", all, [0], "largest", true), w.ints(1)], "count");
  const planes = w.unsqueeze(w.range(count, "int64", "planes"), [0, 2], "planes.column");
  const own = w.step("Equal", [w.unsqueeze(labels, [1], "labels.row"), planes], "own");
  return w.step("Where", [own, scores, w.number(LOWEST)], "scores.label");
}

/**
 * boxes [R, K, 4], scores [R, K], regions [R, 5], info [N, 6] to picks int64 [S, 3] = image, class, row and their
 * scores [S]: each class of each image by itself, by image, class and score. Out are scores not above `threshold`,
 * LOWEST, and what is not finite.
 *
 * Classes and images are ONNX's batch, whose boxes are their own; nothing is shifted apart, which would cost digits.
 */
const batchedNms: Operator = {
  name: "batched_nms",
  doc: "Detections of each class that overlap no better one of theirs.",
  layer: {
    arguments: {
      scores: tensor("The scores of the boxes that arrive."),
      regions: tensor("The regions that they are of."),
      info: tensor("What is known of the images."),
      threshold: number("Scores up to this are out.", { default: 0 }),
      iou: IOU,
      inclusive: INCLUSIVE,
    },
    outputs: ["picks", "scores"],
  },
  summarized: true,
  label: (attributes) => `NMS, ${int(attributes, "iou")}`,
  fullPrecision: true,
  gradient: "none",
  infer(inputs) {
    const wanted = { boxes: ["R", "K", 4], scores: ["R", "K"], regions: ["R", 5], info: ["N", 6] };
    const [[rows, classes]] = forms("batched_nms", wanted, inputs) as [readonly Dim[]];
    const found = unknownSize("S", mul(rows!, count(classes, "batched_nms", "classes")));
    return [integers(found, 3), floats(found)];
  },
  lower(node, emit) {
    const w = writer(node, emit);
    const { attributes } = node;
    const classes = node.inputs[1]!.type.shape[1] as number;
    const { table, most, gather } = writeRowsByImage(w, w.inputs[2]!, w.size(node.inputs[3]!, 0));
    const boxes = gather(w.inputs[0]!, w.numbers(new Array<number>(4 * classes).fill(0), [1, classes, 4]), "boxes");
    const scores = gather(w.inputs[1]!, w.numbers(new Array<number>(classes).fill(LOWEST), [1, classes]), "scores");
    const byClass = {
      boxes: w.reshape(
        w.step("Transpose", [boxes], "boxes.class", { perm: [0, 2, 1, 3] }),
        [-1, most, 4],
        "boxes.flat",
      ),
      scores: w.reshape(w.step("Transpose", [scores], "scores.class", { perm: [0, 2, 1] }), [-1, most], "scores.flat"),
    };
    const finite = writeFinite(w, byClass.boxes, byClass.scores);
    const threshold = Math.max(int(attributes, "threshold"), IN);
    const rows = w.unsqueeze(finite, [1], "scores.one");
    const selected = writeNms(w, byClass.boxes, rows, attributes, most, threshold);
    const [plane, slot] = [w.slice(selected, 1, 0, 1, "plane"), w.slice(selected, 1, 2, 3, "slot")];
    const image = w.step("Div", [plane, w.ints(classes)], "image");
    const label = w.step("Sub", [plane, w.step("Mul", [image, w.ints(classes)], "planes")], "class");
    const found = w.step("GatherND", [table, w.concat([image, slot], 1, "place")], "row.found");
    const row = w.unsqueeze(found, [1], "row");
    w.give("Concat", [image, label, row], { axis: 1 }, 0);
    w.give("GatherND", [w.inputs[1]!, w.concat([row, label], 1, "row_class")], {}, 1);
  },
};

/** Scores [B, T] with LOWEST for what is not finite or whose box [B, T, 4] is not. */
function writeFinite(w: Writer, boxes: string, scores: string): string {
  const limit = w.number(FINITE);
  const extent = w.reduce("Sum", w.step("Abs", [boxes], "boxes.size"), [2], "extent");
  const both = [w.step("Abs", [scores], "scores.size"), extent].map((x) => w.step("LessOrEqual", [x, limit], "finite"));
  return w.step("Where", [w.step("And", both, "real"), scores, w.number(LOWEST)], "scores.real");
}

export const SUPPRESSION: readonly Operator[] = [nms, batchedNms];
