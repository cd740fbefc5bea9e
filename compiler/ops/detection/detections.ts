/**
 * Picks: int64 [S, 3] = image, class, row of the regions; what is detected, as indices into the boxes and scores of
 * all regions and classes.
 */
import { unknownSize, type Dim } from "../../ir/dim.js";
import { flag, int } from "../attributes.js";
import type { Operator } from "../operator.js";
import { reshaped } from "../shapes.js";
import { count, floats, forms, integers } from "./forms.js";
import { LOWEST } from "./scores.js";
import { boolean, integer, tensor } from "../../words/schema.js";
import { writer, type Writer } from "../write.js";

/** The places (row, class) of picks in what has [R, K, ...]: int64 [S, 2]. */
export function writePlaces(w: Writer, picks: string): string {
  return w.step("Gather", [picks, w.ints(2, 1)], "places", { axis: 1 });
}

/** boxes [R, K, 4], scores [R, K] to [R, 4]: each row's box of its likeliest class, the first of equals. */
const pickClass: Operator = {
  name: "pick_class",
  doc: "Of each region the box of its likeliest class.",
  layer: { arguments: { scores: tensor("The scores of the boxes that arrive.") } },
  fullPrecision: true,
  gradient: "none",
  infer(inputs) {
    const [[rows]] = forms("pick_class", { boxes: ["R", "K", 4], scores: ["R", "K"] }, inputs) as [readonly Dim[]];
    return [floats(rows!, 4)];
  },
  lower(node, emit) {
    const w = writer(node, emit);
    const likeliest = w.step("ArgMax", [w.inputs[1]!], "likeliest", { axis: 1, keepdims: 1 });
    w.give("GatherND", [w.inputs[0]!, likeliest], { batch_dims: 1 });
  },
};

/**
 * picks [S, 3], scores [S], info [N, 6] to picks [D, 3], scores [D], images int64 [D], labels int64 [D]: the best
 * `keep` of each image over all classes, by image and score. With `ties` what scores as much as the last of them
 * stays too.
 */
const topDetections: Operator = {
  name: "top_detections",
  doc: "The best detections of each image, over all classes.",
  layer: {
    arguments: {
      scores: tensor("The scores of the picks that arrive."),
      info: tensor("What is known of the images."),
      keep: integer("How many an image, at most.", { min: 1 }),
      ties: boolean("What scores as much as the last of them stays too.", { default: false }),
    },
    outputs: ["picks", "scores", "images", "labels"],
  },
  fullPrecision: true,
  gradient: "none",
  infer(inputs) {
    const wanted = { picks: ["S", 3], scores: ["S"], info: ["N", 6] };
    const [[all]] = forms("top_detections", wanted, inputs) as [readonly Dim[]];
    const found = unknownSize("D", all);
    return [integers(found, 3), floats(found), integers(found), integers(found)];
  },
  lower(node, emit) {
    const w = writer(node, emit);
    const [picks, scores] = w.inputs as readonly [string, string];
    const keep = int(node.attributes, "keep");
    const batch = w.size(node.inputs[2]!, 0);
    // One more, the worst of an image after the last: nothing is empty then, and it is never kept.
    const image = w.concat([w.column(picks, 0, "image"), batch], 0, "images");
    const score = w.concat([scores, w.numbers([LOWEST])], 0, "scores");
    const length = w.sizeOf(score, 0);
    const take = (x: string, order: string, suffix: string): string => w.step("Gather", [x, order], suffix);
    // By score, then by image; equals stay in their order.
    const byScore = w.top(score, length, "by_score");
    const byImage = w.top(take(image, byScore.indices, "images.by_score"), length, "by_image", false);
    const order = take(byScore.indices, byImage.indices, "order");
    const ranked = take(byScore.values, byImage.indices, "ranked");
    // The rank within the image: the place less how many are of images before.
    const numbers = w.range(w.step("Add", [batch, w.ints(1)], "count"), "int64", "numbers");
    const earlier = w.step("Less", [w.unsqueeze(image, [0], "row"), w.unsqueeze(numbers, [1], "column")], "earlier");
    const before = w.cast(
      w.reduce("Sum", w.cast(earlier, "float32", "earlier.number"), [1], "before"),
      "int64",
      "first",
    );
    const first = take(before, byImage.values, "first.own");
    const rank = w.step("Sub", [w.range(length, "int64", "place"), first], "rank");
    let kept = w.step("Less", [rank, w.ints(keep)], "kept");
    if (flag(node.attributes, "ties")) {
      const end = w.step("Sub", [length, w.ints(1)], "end");
      const last = w.step("Min", [w.step("Add", [first, w.ints(keep - 1)], "last"), end], "last.place");
      const tied = w.step("GreaterOrEqual", [ranked, take(ranked, last, "last.score")], "tied");
      kept = w.step("Or", [kept, tied], "kept.tied");
    }
    const real = w.step("Less", [byImage.values, batch], "real");
    const places = w.where(w.step("And", [kept, real], "kept.real"), "kept.places");
    const chosen = take(picks, take(order, places, "chosen"), "chosen.picks");
    w.give("Identity", [chosen], {}, 0);
    w.give("Gather", [ranked, places], {}, 1);
    w.give("Gather", [chosen, emit.constant([0], "int64", [])], { axis: 1 }, 2);
    w.give("Gather", [chosen, emit.constant([1], "int64", [])], { axis: 1 }, 3);
  },
};

/** boxes [R, K, 4], picks [D, 3] to their boxes [D, 4]. */
const pickBoxes: Operator = {
  name: "pick_boxes",
  doc: "The boxes of detections.",
  layer: { arguments: { picks: tensor("Image, class and row of each detection.") } },
  fullPrecision: true,
  gradient: "none",
  infer(inputs) {
    const [, [found]] = forms("pick_boxes", { boxes: ["R", "K", 4], picks: ["D", 3] }, inputs) as [Dim[], Dim[]];
    return [floats(found!, 4)];
  },
  lower(node, emit) {
    const w = writer(node, emit);
    w.give("GatherND", [w.inputs[0]!, writePlaces(w, w.inputs[1]!)]);
  },
};

/**
 * masks [R, K, h, w], labels [D] of the first D rows, int64 or whole numbers, to [D, h, w]: the mask of each detection's own
 * class. R is more than D where a region stands for none at all.
 */
const pickMasks: Operator = {
  name: "pick_masks",
  doc: "Of the masks of every class, that of each detection's own.",
  layer: { arguments: { labels: tensor("The class of each detection.") } },
  fullPrecision: true,
  gradient({ inputs: [masks, labels] }, [dy], builder) {
    return dy === undefined ? [] : builder.apply("pick_masks_gradient", [dy, masks!, labels!]);
  },
  infer(inputs) {
    const wanted = { masks: ["R", "K", "h", "w"], labels: ["D"] };
    const [[, , height, width], [found]] = forms("pick_masks", wanted, inputs) as [Dim[], Dim[]];
    return [reshaped(inputs[0], [found!, height!, width!])];
  },
  lower(node, emit) {
    const w = writer(node, emit);
    const rows = w.range(w.size(node.inputs[1]!, 0), "int64", "rows");
    const isWhole = node.inputs[1]!.type.dtype === "int64";
    const labels = isWhole ? w.inputs[1]! : w.cast(w.inputs[1]!, "int64", "labels");
    const columns = [w.unsqueeze(rows, [1], "rows.column"), w.unsqueeze(labels, [1], "labels.column")];
    w.give("GatherND", [w.inputs[0]!, w.concat(columns, 1, "places")]);
  },
};

/** dy [R, h, w], masks [R, K, h, w], labels [R] to [R, K, h, w]: what is of another class has none. */
const pickMasksGradient: Operator = {
  name: "pick_masks_gradient",
  doc: "Gradient of the masks of every class, from that of each detection's own.",
  fullPrecision: true,
  gradient: "none",
  shapeOnly: [1],
  infer(inputs) {
    forms("pick_masks_gradient", { dy: ["R", "h", "w"], masks: ["R", "K", "h", "w"], labels: ["R"] }, inputs);
    return [inputs[1]!];
  },
  lower(node, emit) {
    const w = writer(node, emit);
    const labels = w.unsqueeze(w.cast(w.inputs[2]!, "float32", "labels"), [1, 2, 3], "labels.column");
    const classes = count(node.inputs[1]!.type.shape[1], "pick_masks", "classes");
    const numbers = w.numbers(
      Array.from({ length: classes }, (_, index) => index),
      [classes, 1, 1],
    );
    const isOwn = w.step("Equal", [labels, numbers], "is_own");
    w.give("Where", [isOwn, w.unsqueeze(w.inputs[0]!, [1], "dy.column"), w.number(0)]);
  },
};

export const DETECTIONS: readonly Operator[] = [pickClass, topDetections, pickBoxes, pickMasks, pickMasksGradient];
