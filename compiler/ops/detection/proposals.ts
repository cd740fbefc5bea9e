/** Proposals that are kept from one phase of a training to another: how they leave a graph, and how they come into one. */
import { mul, unknownSize, type Dim } from "../../ir/dim.js";
import type { TensorType } from "../../ir/types.js";
import { tensor } from "../../words/schema.js";
import { ShapeError, type Operator } from "../operator.js";
import { known } from "../shapes.js";
import { writer } from "../write.js";
import { floats, forms } from "./forms.js";

/**
 * rows [N, T, ...], given [N, P, ...] to the rows. Where a training has what is given, that stands in its place
 * (training/proposals.ts), and nothing is left of either the layer or what only the rows came from.
 */
const unlessGiven: Operator = {
  name: "unless_given",
  doc: "The rows that arrive, or in their place others, where those are kept from an earlier phase of the training.",
  layer: { arguments: { given: tensor("The others, as many as there are of an image.") } },
  trainingOnly: true,
  fullPrecision: true,
  gradient: "none",
  infer(inputs) {
    const wanted = { rows: ["N", "T", "..."], given: ["N", "P", "..."] };
    const [own, others] = forms("unless_given", wanted, inputs) as readonly [readonly Dim[], readonly Dim[]];
    if (own.length !== others.length || own.slice(2).some((size, axis) => size !== others[axis + 2])) {
      throw new ShapeError("unless_given needs rows of the same sizes");
    }
    return [known(inputs[0])];
  },
  lower(node, emit) {
    const w = writer(node, emit);
    w.give("Identity", [w.inputs[0]!]);
  },
};

/**
 * boxes [N, T, 4] in the order of their scores, and present [N, T], above one half for those that are there, to what a
 * detector gives: boxes [D, 4], scores [D] (1, 1/2, 1/3, ... of an image: nothing but the order), labels int64 [D] (0) and
 * images int64 [D].
 */
const asDetections: Operator = {
  name: "as_detections",
  doc: "Proposals as what a detector of one class finds.",
  fullPrecision: true,
  gradient: "none",
  infer(inputs) {
    const wanted = { boxes: ["N", "T", 4], present: ["N", "T"] };
    const [[batch, count]] = forms("as_detections", wanted, inputs) as [readonly Dim[]];
    const found = unknownSize("D", mul(batch!, count!));
    const whole: TensorType = { dtype: "int64", shape: [found] };
    return [floats(found, 4), floats(found), whole, whole];
  },
  lower(node, emit) {
    const w = writer(node, emit);
    const [boxes, present] = w.inputs as readonly [string, string];
    const isThere = w.step("Greater", [present, w.number(0.5)], "is_there");
    const places = w.step("Transpose", [w.step("NonZero", [isThere], "found")], "places", { perm: [1, 0] });
    const [image, rank] = [0, 1].map((column) => w.column(places, column, "index")) as [string, string];
    w.give("GatherND", [boxes, places], {}, 0);
    const order = w.step("Add", [w.cast(rank, "float32", "rank"), w.number(1)], "order");
    w.give("Div", [w.number(1), order], {}, 1);
    w.give("Sub", [image, image], {}, 2);
    w.give("Identity", [image], {}, 3);
  },
};

export const PROPOSAL_OPERATORS: readonly Operator[] = [unlessGiven, asDetections];
