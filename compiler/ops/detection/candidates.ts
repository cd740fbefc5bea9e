/** What one-stage detectors choose from: scores of every class at every anchor, and boxes with the one label of each. */
import { mul, unknownSize, type Dim } from "../../ir/dim.js";
import type { Attributes, TensorType } from "../../ir/types.js";
import { flag, int } from "../attributes.js";
import type { Operator } from "../operator.js";
import { floats, forms, integers } from "./forms.js";
import { atMost, writeAtMost } from "./limits.js";
import { IN } from "./scores.js";
import { boolean, integer, tensor } from "../../words/schema.js";
import { writer } from "../write.js";

/** How many are taken: of all classes together, or of each. */
function taken([, classes, length]: readonly Dim[], attributes: Attributes): Dim {
  const k = int(attributes, "k");
  if (flag(attributes, "each_class")) return mul(classes!, atMost(k, length!, "T"));
  return atMost(k, mul(classes!, length!), "T");
}

/**
 * scores [N, K, L] to scores [N, T], and int64 [N, T] rows (of L) and labels (of K): the best k of all classes together,
 * best first, ties by class and row; with `each_class` the best k of each class, one class after the other.
 */
const topCandidates: Operator = {
  name: "top_candidates",
  doc: "The best scores among all classes and rows: whose row each is, and of which class.",
  layer: {
    arguments: {
      k: integer("How many an image, at most.", { min: 1 }),
      each_class: boolean("So many of each class, and not of all together.", { default: false }),
    },
    outputs: ["scores", "rows", "labels"],
  },
  fullPrecision: true,
  gradient: "none",
  infer(inputs, attributes) {
    const [shape] = forms("top_candidates", { scores: ["N", "K", "L"] }, inputs) as [readonly Dim[]];
    const all = taken(shape, attributes);
    return [floats(shape[0]!, all), integers(shape[0]!, all), integers(shape[0]!, all)];
  },
  lower(node, emit) {
    const w = writer(node, emit);
    const given = node.inputs[0]!;
    const k = int(node.attributes, "k");
    if (!flag(node.attributes, "each_class")) {
      const flat = w.reshape(w.inputs[0]!, [0, -1], "flat");
      const places = mul(given.type.shape[1]!, given.type.shape[2]!);
      const best = w.top(
        flat,
        writeAtMost(w, k, places, () => w.sizeOf(flat, 1)),
        "best",
      );
      const length = w.size(given, 2);
      w.give("Identity", [best.values], {}, 0);
      w.give("Mod", [best.indices, length], {}, 1);
      w.give("Div", [best.indices, length], {}, 2);
      return;
    }
    const best = w.top(
      w.inputs[0]!,
      writeAtMost(w, k, given.type.shape[2]!, () => w.size(given, 2)),
      "best",
    );
    const classes = w.unsqueeze(w.range(w.size(given, 1), "int64", "classes"), [0, 2], "column");
    const labels = w.step("Expand", [classes, w.step("Shape", [best.indices], "shape")], "labels");
    [best.values, best.indices, labels].forEach((each, index) => w.give("Reshape", [each, w.ints(0, -1)], {}, index));
  },
};

/**
 * boxes [N, T, 4], scores [N, T], labels int64 [N, T] to boxes [D, 4], scores [D], labels [D] and images int64 [D]: the
 * best `keep` of each image over all labels, by image and score, ties by index. Those whose score is LOWEST are left out,
 * so that D may be 0.
 */
const topBoxes: Operator = {
  name: "top_boxes",
  doc: "The best boxes of each image, over all their labels.",
  layer: {
    arguments: {
      scores: tensor("The scores of the boxes that arrive."),
      labels: tensor("The label of each."),
      keep: integer("How many an image, at most.", { min: 1 }),
    },
    outputs: ["boxes", "scores", "labels", "images"],
  },
  summarized: true,
  label: (attributes) => `best ${int(attributes, "keep")} boxes`,
  fullPrecision: true,
  gradient: "none",
  infer(inputs, attributes): readonly TensorType[] {
    const wanted = { boxes: ["N", "T", 4], scores: ["N", "T"], labels: ["N", "T"] };
    const [[batch]] = forms("top_boxes", wanted, inputs) as [readonly Dim[]];
    const found = unknownSize("D", mul(batch!, int(attributes, "keep")));
    return [floats(found, 4), floats(found), integers(found), integers(found)];
  },
  lower(node, emit) {
    const w = writer(node, emit);
    const [boxes, scores, labels] = w.inputs as readonly [string, string, string];
    const given = node.inputs[1]!;
    const count = writeAtMost(w, int(node.attributes, "keep"), given.type.shape[1]!, () => w.size(given, 1));
    const best = w.top(scores, count, "best");
    const places = w.unsqueeze(best.indices, [2], "places");
    const rows = (x: string, suffix: string): string => w.step("GatherND", [x, places], suffix, { batch_dims: 1 });
    const numbers = w.unsqueeze(w.range(w.size(given, 0), "int64", "numbers"), [1], "column");
    const images = w.step("Expand", [numbers, w.step("Shape", [best.indices], "shape")], "images.all");
    const flat = w.reshape(best.values, [-1], "scores.flat");
    const kept = w.where(w.step("Greater", [flat, w.number(IN)], "kept"), "kept.places");
    const all = [
      w.reshape(rows(boxes, "boxes.best"), [-1, 4], "boxes.flat"),
      flat,
      w.reshape(rows(labels, "labels.best"), [-1], "labels.flat"),
      w.reshape(images, [-1], "images.flat"),
    ];
    all.forEach((each, index) => w.give("Gather", [each, kept], { axis: 0 }, index));
  },
};

export const CANDIDATES: readonly Operator[] = [topCandidates, topBoxes];
