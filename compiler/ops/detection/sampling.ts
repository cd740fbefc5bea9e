/** Which of the boxes that were matched a detector is trained by, and what for: labels are 1, 0 or -1, as `match` makes them. */
import { mul, type Dim } from "../../ir/dim.js";
import { int, word } from "../attributes.js";
import type { Attributes, Operator } from "../operator.js";
import { known, reshaped } from "../shapes.js";
import { count as sizeOf, floats, forms, integers } from "./forms.js";
import { writeAtMost } from "./limits.js";
import { IN } from "./scores.js";
import { choice, integer, number, tensor } from "../../words/schema.js";
import { writer, type Writer } from "../write.js";

const SAMPLING = {
  count: integer("How many boxes of an image.", { min: 1 }),
  share: number("At most this share of them is of objects.", { min: 0, max: 1 }),
};

/** More than any random number. */
const NOT_DRAWN = 2;

/**
 * labels [N, A] to the same with -1 for all that are not drawn: of each image `count` boxes, at random without repetition. As
 * many as there are, up to `share` of `count`, are of objects; the background fills up what is left, as far as there is some.
 * While training a random number decides for each box, the smallest first; else the first are drawn.
 */
const sample: Operator = {
  name: "sample",
  doc: "A number of boxes of each image, at random, some of objects and the others of the background.",
  layer: { arguments: SAMPLING },
  fullPrecision: true,
  gradient: "none",
  infer(inputs) {
    forms("sample", { labels: ["N", "A"] }, inputs);
    return [known(inputs[0])];
  },
  training({ inputs, attributes }, builder) {
    const [labels] = inputs;
    return builder.apply("sample_by", [labels!, builder.noise(labels!.type.shape)], attributes)[0]!;
  },
  lower(node, emit) {
    const w = writer(node, emit);
    const count = w.sizeOf(w.inputs[0]!, 1);
    const range = w.step("Div", [w.range(count, "float32", "order"), w.cast(count, "float32", "count")], "order.share");
    writeSample(w, node.inputs[0]!.type.shape[1]!, w.inputs[0]!, w.unsqueeze(range, [0], "order.row"), node.attributes);
  },
};

/** The same by numbers in [0, 1), [N, A]. */
const sampleBy: Operator = {
  name: "sample_by",
  doc: "The boxes with the smallest of given numbers, some of objects and the others of the background.",
  fullPrecision: true,
  gradient: "none",
  infer(inputs) {
    forms("sample_by", { labels: ["N", "A"], numbers: ["N", "A"] }, inputs);
    return [known(inputs[0])];
  },
  lower(node, emit) {
    const w = writer(node, emit);
    const [labels, numbers] = w.inputs as readonly [string, string];
    writeSample(w, node.inputs[0]!.type.shape[1]!, labels, numbers, node.attributes);
  },
};

function writeSample(w: Writer, boxes: Dim, labels: string, numbers: string, attributes: Attributes): void {
  const count = int(attributes, "count");
  const most = Math.floor(count * int(attributes, "share"));
  const isObject = w.step("Greater", [labels, w.number(0.5)], "is_object");
  const isKnown = w.step("Greater", [labels, w.number(-0.5)], "is_known");
  const isBackground = w.step("And", [isKnown, w.step("Not", [isObject], "is_none")], "is_background");
  /** Where the first of these are, and whether each of them is one: [N, k]. */
  const first = (which: string, limit: number, suffix: string) => {
    const keys = w.step("Where", [which, numbers, w.number(NOT_DRAWN)], `${suffix}.keys`);
    const best = w.top(
      keys,
      writeAtMost(w, limit, boxes, () => w.sizeOf(labels, 1)),
      suffix,
      false,
    );
    return { places: best.indices, drawn: w.step("Less", [best.values, w.number(NOT_DRAWN - 0.5)], `${suffix}.drawn`) };
  };
  /** [N, A] with these numbers in their places, 0 elsewhere. */
  const spread = (places: string, values: string, suffix: string): string => {
    const zeros = w.step("Mul", [labels, w.number(0)], `${suffix}.zeros`);
    return w.step("ScatterElements", [zeros, places, w.cast(values, "float32", `${suffix}.number`)], suffix, {
      axis: 1,
    });
  };
  const background = first(isBackground, count, "background");
  let left = w.number(count);
  let objects: string | undefined;
  if (most > 0) {
    const found = first(isObject, most, "objects");
    objects = spread(found.places, found.drawn, "objects.all");
    const taken = w.reduce("Sum", w.cast(found.drawn, "float32", "objects.number"), [1], "objects.count", true);
    left = w.step("Sub", [w.number(count), taken], "left");
  }
  const rank = w.unsqueeze(w.range(w.sizeOf(background.places, 1), "float32", "rank"), [0], "rank.row");
  const within = w.step("And", [background.drawn, w.step("Less", [rank, left], "fits")], "background.within");
  const others = spread(background.places, within, "background.all");
  // 2 for an object, 1 for the background, less 1.
  const sum =
    objects === undefined ? others : w.step("Add", [w.step("Add", [objects, objects], "twice"), others], "sum");
  w.give("Sub", [sum, w.number(1)]);
}

/**
 * labels [N, A] to the rows of those that are drawn, int64 [N, count], in their order, and their labels [N, count]. Where an
 * image has fewer, rows that are there already fill up, labelled -1: so every image has as many.
 */
const sampledRows: Operator = {
  name: "sampled_rows",
  doc: "The rows of the boxes that were drawn, as many of each image.",
  layer: { arguments: { count: SAMPLING.count }, outputs: ["indices", "labels"] },
  fullPrecision: true,
  gradient: "none",
  infer(inputs, attributes) {
    const [[batch]] = forms("sampled_rows", { labels: ["N", "A"] }, inputs) as [readonly Dim[]];
    const count = int(attributes, "count");
    return [integers(batch!, count), floats(batch!, count)];
  },
  lower(node, emit) {
    const w = writer(node, emit);
    const labels = w.inputs[0]!;
    const count = int(node.attributes, "count");
    const known = w.cast(w.step("Greater", [labels, w.number(-0.5)], "is_known"), "float32", "known");
    const batch = w.size(node.inputs[0]!, 0);
    const filling = w.expand(w.number(-1), [batch, count], "filling");
    const all = w.concat([known, filling], 1, "known.all");
    const best = w.top(all, w.ints(count), "drawn");
    const last = w.step("Sub", [w.sizeOf(labels, 1), w.ints(1)], "last");
    const places = w.step("Min", [best.indices, last], "places");
    w.give("Identity", [places], {}, 0);
    const own = w.step("GatherElements", [labels, places], "labels.own", { axis: 1 });
    w.give("Where", [w.step("Greater", [best.values, w.number(-0.5)], "is_there"), own, w.number(-1)], {}, 1);
  },
};

/** values [N, L], indices int64 [N, T] to [N, T]. */
const gatherValues: Operator = {
  name: "gather_values",
  doc: "Values by their indices, image by image.",
  layer: { arguments: { indices: tensor("Which values, image by image.") } },
  fullPrecision: true,
  gradient: "none",
  infer(inputs) {
    const [, taken] = forms("gather_values", { values: ["N", "L"], indices: ["N", "T"] }, inputs);
    return [reshaped(inputs[0], taken!)];
  },
  lower(node, emit) {
    const w = writer(node, emit);
    w.give("GatherElements", [w.inputs[0]!, w.inputs[1]!], { axis: 1 });
  },
};

/** x [N, S, ...] to [N * S, ...]. */
const flatRows: Operator = {
  name: "flat_rows",
  doc: "The rows of all images, one image's after the other's.",
  layer: { arguments: {} },
  fullPrecision: true,
  gradient({ inputs: [x] }, [dy], builder) {
    return dy === undefined ? [] : builder.apply("reshape", [dy], { shape: x!.type.shape as readonly number[] });
  },
  infer(inputs) {
    const [[batch, rows, ...rest]] = forms("flat_rows", { rows: ["N", "S", "..."] }, inputs) as [readonly Dim[]];
    return [reshaped(inputs[0], [mul(batch!, rows!), ...rest])];
  },
  lower(node, emit) {
    const w = writer(node, emit);
    const rest = node.outputs[0]!.type.shape.slice(1);
    w.give("Reshape", [w.inputs[0]!, w.ints(-1, ...rest.map((dim) => sizeOf(dim, "flat_rows", "values of a row")))]);
  },
};

/** boxes [N, S, 4] to regions [N * S, 5]. */
const rowsAsRegions: Operator = {
  name: "rows_as_regions",
  doc: "The boxes of each image as regions.",
  layer: { arguments: {} },
  fullPrecision: true,
  gradient: "none",
  infer(inputs) {
    const [[batch, rows]] = forms("rows_as_regions", { boxes: ["N", "S", 4] }, inputs) as [readonly Dim[]];
    return [floats(mul(batch!, rows!), 5)];
  },
  lower(node, emit) {
    const w = writer(node, emit);
    const [batch, rows] = [w.size(node.inputs[0]!, 0), w.size(node.inputs[0]!, 1)];
    const column = w.unsqueeze(w.range(batch, "float32", "images"), [1, 2], "column");
    const images = w.expand(column, [batch, rows, 1], "images.all");
    w.give("Reshape", [w.concat([images, w.inputs[0]!], 2, "regions"), w.ints(-1, 5)]);
  },
};

/**
 * labels [...], class numbers [...] from 0 to each class's share, [..., K]: 1 at the class of what is of an object. With a
 * `background` there is one more, first or last, with a 1 of what is of none; all are 0 where it is not known.
 */
const classShares: Operator = {
  name: "class_shares",
  doc: "Each class's share of boxes: all or nothing.",
  layer: {
    arguments: {
      numbers: tensor("The class of the object that each box is matched with."),
      classes: integer("How many there are.", { min: 1 }),
      background: choice("Where the background stands among them, if it does.", ["none", "first", "last"], {
        default: "none",
      }),
    },
  },
  fullPrecision: true,
  gradient: "none",
  complete: (attributes) => ({ background: "none", ...attributes }),
  infer(inputs, attributes) {
    const [shape] = forms("class_shares", { labels: ["N", "..."] }, inputs) as [readonly Dim[]];
    const alike = shape.map((dim, axis) => (typeof dim === "number" ? dim : `size ${axis}`));
    forms("class_shares", { numbers: alike }, inputs.slice(1));
    const classes = int(attributes, "classes") + (word(attributes, "background") === "none" ? 0 : 1);
    return [floats(...shape, classes)];
  },
  lower(node, emit) {
    const w = writer(node, emit);
    const [labels, numbers] = [0, 1].map((index) => w.unsqueeze(w.inputs[index]!, [-1], "column"));
    const classes = Array.from({ length: int(node.attributes, "classes") }, (_, index) => index);
    const isClass = w.step("Equal", [numbers!, w.numbers(classes)], "is_class");
    const isObject = w.step("Greater", [labels!, w.number(0.5)], "is_object");
    const own = w.step("And", [isClass, isObject], "is_own");
    const background = word(node.attributes, "background");
    if (background === "none") return w.give("Cast", [own], { to: 1 });
    const isNone = w.step("Equal", [labels!, w.number(0)], "is_none");
    const parts = [w.cast(own, "float32", "shares"), w.cast(isNone, "float32", "share.background")];
    w.give("Concat", background === "first" ? parts.toReversed() : parts, { axis: -1 });
  },
};

/** scores [N, T] to 1 where they are not out, else 0. */
const validScores: Operator = {
  name: "are_valid",
  doc: "Which scores are not out.",
  layer: { arguments: {} },
  fullPrecision: true,
  gradient: "none",
  infer(inputs) {
    const [shape] = forms("are_valid", { scores: ["N", "T"] }, inputs);
    return [floats(...shape!)];
  },
  lower(node, emit) {
    const w = writer(node, emit);
    w.give("Cast", [w.step("Greater", [w.inputs[0]!, w.number(IN)], "is_in")], { to: 1 });
  },
};

/**
 * boxes [..., 4] that end behind their last pixel to those that end with it: of their own pixels, or of those of the original
 * image, factors [N, 1, 2] = y, x large, where boxes are [N, G, 4].
 */
const lastPixels: Operator = {
  name: "last_pixels",
  doc: "Boxes that end with their last pixel, from those that end behind it.",
  layer: { arguments: { factors: tensor("Height and width of the pixels; by default 1.", { optional: true }) } },
  fullPrecision: true,
  gradient: "none",
  infer(inputs) {
    const wanted = { boxes: ["N", "G", 4], factors: ["N", 1, 2] };
    const [shape] = forms("last_pixels", inputs[1] ? wanted : { boxes: ["...", 4] }, inputs);
    return [floats(...shape!)];
  },
  lower(node, emit) {
    const w = writer(node, emit);
    const [boxes, factors] = w.inputs as readonly [string, string?];
    if (factors === undefined) return w.give("Sub", [boxes, w.numbers([0, 0, 1, 1])]);
    const pixel = w.step("Gather", [factors, w.ints(1, 0)], "pixel", { axis: -1 });
    const end = w.step("Sub", [w.slice(boxes, -1, 2, 4, "end"), pixel], "last");
    w.give("Concat", [w.slice(boxes, -1, 0, 2, "start"), end], { axis: -1 });
  },
};

export const SAMPLING_OPERATORS: readonly Operator[] = [
  ...[sample, sampleBy, sampledRows, gatherValues, flatRows],
  ...[rowsAsRegions, classShares, validScores, lastPixels],
];
