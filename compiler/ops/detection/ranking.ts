/** The best of many by their score, image by image. */
import { mul, unknownSize, type Dim } from "../../ir/dim.js";
import type { TensorType, Value } from "../../ir/types.js";
import { int } from "../attributes.js";
import type { Operator } from "../operator.js";
import { known, reshaped } from "../shapes.js";
import { floats, forms, integers } from "./forms.js";
import { atMost, writeAtMost } from "./limits.js";
import { NO_REGION } from "./regions.js";
import { IN, LOWEST } from "./scores.js";
import { integer, tensor, tensors } from "../../words/schema.js";
import { writer } from "../write.js";

/** scores [N, L] to the T = min(k, L) best of each row, best first, and int64 where they were; ties: the first first. */
const topK: Operator = {
  name: "top_k",
  doc: "The best scores of each image and where they are.",
  layer: { arguments: { k: integer("How many, at most.", { min: 1 }) }, outputs: ["scores", "indices"] },
  fullPrecision: true,
  gradient: "none",
  infer(inputs, attributes) {
    const [[batch, length]] = forms("top_k", { scores: ["N", "L"] }, inputs) as [readonly Dim[]];
    const best = atMost(int(attributes, "k"), length!, "T");
    return [floats(batch!, best), integers(batch!, best)];
  },
  lower(node, emit) {
    const w = writer(node, emit);
    const given = node.inputs[0]!;
    const count = writeAtMost(w, int(node.attributes, "k"), given.type.shape[1]!, () => w.size(given, 1));
    emit.node("TopK", [w.inputs[0]!, count], w.outputs, { axis: 1, largest: 1, sorted: 1 });
  },
};

/** x [N, L, k], or [L, k] for all images alike, indices int64 [N, T] to those rows: [N, T, k]. */
const gatherRows: Operator = {
  name: "gather_rows",
  doc: "Rows by their indices, image by image.",
  layer: { arguments: { indices: tensor("Which rows, image by image.") } },
  fullPrecision: true,
  gradient: "none",
  infer(inputs) {
    const [[batch, taken]] = forms("gather_rows", { indices: ["N", "T"] }, inputs.slice(1)) as [readonly Dim[]];
    const { dtype, shape } = known(inputs[0]);
    const rows = shape.length === 2 ? { rows: ["L", "k"] } : { rows: ["N", "L", "k"] };
    forms("gather_rows", rows, inputs);
    return [{ dtype, shape: [batch!, taken!, shape.at(-1)!] } satisfies TensorType];
  },
  lower(node, emit) {
    const w = writer(node, emit);
    const [x, indices] = w.inputs as readonly [string, string];
    if (node.inputs[0]!.type.shape.length === 2) w.give("Gather", [x, indices], { axis: 0 });
    else w.give("GatherND", [x, w.unsqueeze(indices, [2], "places")], { batch_dims: 1 });
  },
};

/**
 * boxes [N, T, 4], scores [N, T] to regions [R, 5] = image, x1, y1, x2, y2 and their scores [R, 1]: the best `keep` of
 * each image by image and score, ties by index; those whose score is LOWEST are left out.
 *
 * There is always one: where nothing is left it is a region without area (0, 0, -1, -1 of the first image), whose
 * score is LOWEST and which `detect` passes over. ONNX Runtime's fast layouts of convolutions fail on empty batches.
 */
const topRegions: Operator = {
  name: "top_regions",
  doc: "The best boxes of each image as regions.",
  layer: {
    arguments: {
      scores: tensor("The scores of the boxes that arrive."),
      keep: integer("How many an image, at most.", { min: 1 }),
    },
    outputs: ["regions", "scores"],
  },
  summarized: true,
  label: (attributes) => `best ${int(attributes, "keep")} regions`,
  fullPrecision: true,
  gradient: "none",
  infer(inputs, attributes) {
    const [[batch]] = forms("top_regions", { boxes: ["N", "T", 4], scores: ["N", "T"] }, inputs) as [readonly Dim[]];
    const found = unknownSize("R", mul(batch!, int(attributes, "keep")));
    return [floats(found, 5), floats(found, 1)];
  },
  lower(node, emit) {
    const w = writer(node, emit);
    const [boxes, scores] = node.inputs as readonly [Value, Value];
    const batch = w.size(boxes, 0);
    const count = writeAtMost(w, int(node.attributes, "keep"), scores.type.shape[1]!, () => w.size(scores, 1));
    const best = w.top(w.inputs[1]!, count, "best");
    const places = w.unsqueeze(best.indices, [2], "places");
    const taken = w.step("GatherND", [w.inputs[0]!, places], "taken", { batch_dims: 1 });
    const column = w.unsqueeze(w.range(batch, "float32", "images"), [1, 2], "column");
    const images = w.expand(column, [batch, count, 1], "images.all");
    const all = w.reshape(w.concat([images, taken], 2, "regions.all"), [-1, 5], "regions.flat");
    const flat = w.reshape(best.values, [-1], "scores.flat");
    const some = w.step("Greater", [flat, w.number(IN)], "some");
    const most = w.reduce("Max", w.cast(some, "float32", "some.number"), [0], "any", true);
    const none = w.step("Less", [most, w.number(0.5)], "none");
    const rows = w.concat([all, w.numbers(NO_REGION, [1, 5])], 0, "rows.all");
    const values = w.concat([flat, w.numbers([LOWEST])], 0, "scores.all");
    const kept = w.where(w.concat([some, none], 0, "kept"), "kept.places");
    w.give("Gather", [rows, kept], { axis: 0 }, 0);
    w.give("Unsqueeze", [w.step("Gather", [values, kept], "scores.kept", { axis: 0 }), w.ints(1)], {}, 1);
  },
};

/** scores [D], then anything [D, ...] to the rows of all of them whose score is not LOWEST. */
const selectValid: Operator = {
  name: "select_valid",
  doc: "The rows whose score is not out.",
  layer: { arguments: { of: tensors("What else has a row for each score.") }, outputs: ["scores", "...rows"] },
  fullPrecision: true,
  gradient: "none",
  infer(inputs) {
    const [[all]] = forms("select_valid", { scores: ["D"] }, inputs) as [readonly Dim[]];
    const found = unknownSize("D", all);
    return inputs.map((input) => {
      forms("select_valid", { scores: ["D"], rows: ["D", "..."] }, [inputs[0]!, input]);
      return reshaped(input, [found, ...input.shape.slice(1)]);
    });
  },
  lower(node, emit) {
    const w = writer(node, emit);
    const kept = w.where(w.step("Greater", [w.inputs[0]!, w.number(IN)], "kept"), "kept.places");
    w.inputs.forEach((input, index) => w.give("Gather", [input, kept], { axis: 0 }, index));
  },
};

export const RANKING: readonly Operator[] = [topK, gatherRows, topRegions, selectValid];
