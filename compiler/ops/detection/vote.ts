import type { Dim } from "../../ir/dim.js";
import type { Attributes } from "../../ir/types.js";
import { flag, int } from "../attributes.js";
import type { Operator } from "../operator.js";
import { writeSizes } from "./boxes.js";
import { writeRowsByImage } from "./by_image.js";
import { writePlaces } from "./detections.js";
import { count, floats, forms } from "./forms.js";
import { LOWEST } from "./scores.js";
import { number, tensor } from "../../words/schema.js";
import { INCLUSIVE } from "./arguments.js";
import { writer, type Writer } from "../write.js";

/**
 * boxes [R, K, 4], scores [R, K], regions [R, 5], picks [D, 3] to [D, 4]: box voting (Gidaris and Komodakis 2015).
 * Each detection's box becomes the mean of those of its class and image that score more than `threshold` and
 * overlap it by `iou` or more, itself among them, weighted by max(0, score + `offset`). Where all weights are 0 it
 * stays. The sums are one product of matrices: [1, P] weights with P boxes, for every detection.
 */
export const boxVote: Operator = {
  name: "box_vote",
  doc: "Boxes of detections as the weighted mean of the candidates that overlap them.",
  layer: {
    arguments: {
      scores: tensor("The scores of the boxes that arrive."),
      regions: tensor("The regions that they are of."),
      picks: tensor("Image, class and row of each detection."),
      iou: number("Boxes that overlap by this or more vote.", { min: 0, max: 1 }),
      threshold: number("Scores up to this do not vote.", { default: 0 }),
      offset: number("Added to a score, which then is the weight of its vote.", { default: 0 }),
      inclusive: INCLUSIVE,
    },
  },
  fullPrecision: true,
  gradient: "none",
  infer(inputs) {
    const wanted = { boxes: ["R", "K", 4], scores: ["R", "K"], regions: ["R", 5], picks: ["D", 3] };
    const [[, classes], , , [found]] = forms("box_vote", wanted, inputs) as [Dim[], Dim[], Dim[], Dim[]];
    count(classes, "box_vote", "classes");
    return [floats(found!, 4)];
  },
  lower(node, emit) {
    const w = writer(node, emit);
    const { attributes } = node;
    const [boxes, scores, regions, picks] = w.inputs as readonly [string, string, string, string];
    const classes = node.inputs[1]!.type.shape[1] as number;

    // The candidates of each detection: its image's rows, its class's column. As many images as regions name.
    const image = w.concat([w.column(regions, 0, "image"), w.numbers([0])], 0, "images");
    const last = w.cast(w.reduce("Max", image, [0], "last", true), "int64", "last.image");
    const { table } = writeRowsByImage(w, regions, w.step("Add", [last, w.ints(1)], "batch"));
    const rows = w.step("Gather", [table, w.column(picks, 0, "image.own")], "rows", { axis: 0 });
    const label = w.slice(picks, 1, 1, 2, "class");
    const labels = w.step("Expand", [label, w.step("Shape", [rows], "rows.shape")], "classes");
    const places = w.concat(
      [w.unsqueeze(rows, [2], "rows.last"), w.unsqueeze(labels, [2], "class.last")],
      2,
      "candidates",
    );
    const filled = (x: string, shape: readonly number[], value: number, suffix: string): string => {
      const filler = w.numbers(new Array<number>(shape.reduce((a, b) => a * b)).fill(value), shape);
      return w.step("GatherND", [w.concat([x, filler], 0, `${suffix}.filled`), places], suffix);
    };
    const candidates = filled(boxes, [1, classes, 4], 0, "boxes");
    const score = filled(scores, [1, classes], LOWEST, "scores");

    const own = w.step("GatherND", [boxes, writePlaces(w, picks)], "own");
    const overlap = writeIou(w, w.unsqueeze(own, [1], "own.row"), candidates, attributes);
    const near = w.step("GreaterOrEqual", [overlap, w.number(int(attributes, "iou"))], "near");
    const counts = w.step("Greater", [score, w.number(int(attributes, "threshold"))], "counts");
    const votes = w.step("And", [near, counts], "votes");
    const strength = w.step(
      "Max",
      [w.step("Add", [score, w.number(int(attributes, "offset"))], "raised"), w.number(0)],
      "strength",
    );
    const weights = w.step("Where", [votes, strength, w.number(0)], "weights");
    // What does not vote may not be finite, and 0 times that is no number.
    const voters = w.step("Where", [w.unsqueeze(votes, [2], "votes.last"), candidates, w.number(0)], "voters");
    const ones = w.expand(w.number(1), [w.sizeOf(rows, 0), w.sizeOf(rows, 1), 1], "ones");
    const products = w.step(
      "MatMul",
      [w.unsqueeze(weights, [1], "weights.row"), w.concat([voters, ones], 2, "voters.one")],
      "products",
    );
    const sums = w.step("Squeeze", [products, w.ints(1)], "sums");
    const total = w.slice(sums, 1, 4, 5, "total");
    const mean = w.step("Div", [w.slice(sums, 1, 0, 4, "corners"), total], "mean");
    w.give("Where", [w.step("Greater", [total, w.number(0)], "voted"), mean, own]);
  },
};

/** Intersection over union of boxes [..., 4] with others, shapes broadcast to [...]. */
function writeIou(w: Writer, a: string, b: string, attributes: Attributes): string {
  const corners = (kind: "Max" | "Min", from: number): string => {
    const parts = [a, b].map((boxes) => w.slice(boxes, -1, from, from + 2, "corner"));
    return w.step(kind, parts, kind === "Max" ? "start" : "end");
  };
  const area = (size: string): string =>
    w.step("Mul", [w.column(size, 0, "width"), w.column(size, 1, "height")], "area");
  const common = w.step("Sub", [corners("Min", 2), corners("Max", 0)], "common");
  const pixels = flag(attributes, "inclusive") ? w.step("Add", [common, w.number(1)], "common.pixels") : common;
  const shared = area(w.step("Max", [pixels, w.number(0)], "common.size"));
  const [first, second] = [a, b].map((boxes) => area(writeSizes(w, boxes, attributes))) as [string, string];
  const union = w.step("Sub", [w.step("Add", [first, second], "areas"), shared], "union");
  return w.step("Div", [shared, union], "iou");
}
