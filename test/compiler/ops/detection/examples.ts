/** One use of every detection operator, with what its sizes are called. */
import type { Attributes } from "../../../../compiler/ir/types.js";
import type { Input } from "./run.js";
import { indices, input } from "./samples.js";

export interface Example {
  readonly op: string;
  readonly inputs: readonly Input[];
  readonly attributes: Attributes;
  /** Oldest operator set that has what it is written in. */
  readonly since: number;
}

/** Values between 0 and `largest`. */
function some(sizes: string, shape: readonly number[], largest = 1): Input {
  const length = shape.reduce((a, b) => a * b, 1);
  return input(
    sizes,
    shape,
    Array.from({ length }, (_, index) => largest * Math.abs(Math.sin(1.7 * index + 0.3))),
  );
}

/** Boxes of at least a pixel. */
function boxes(sizes: string, lead: readonly number[]): Input {
  const { data, shape } = some(sizes, [...lead, 4], 20);
  return input(
    sizes,
    shape,
    data.map((value, index) => (index % 4 < 2 ? value : value + data[index - 2]! + 1)),
  );
}

const images = input("N 6", [2, 6], [20, 30, 40, 60, 0.5, 0.5, 24, 16, 24, 16, 1, 1]);
const regions = input("R 5", [3, 5], [0, 2, 3, 14, 19, 1, 0, 1, 9, 7, 0, 5, 5, 28, 12]);
const picks = indices("D 3", [2, 3], [0, 1, 2, 1, 0, 1]);
const image = some("N C H W", [2, 3, 32, 32]);
const map = some("N C h w", [2, 8, 4, 5]);
const [candidates, candidateScores] = [boxes("N T 4", [2, 6]), some("N T", [2, 6])];
const candidateLabels = indices("N T", [2, 6], [0, 1, 2, 0, 1, 2, 2, 2, 0, 0, 1, 1]);
const [judged, probabilities] = [boxes("R K 4", [3, 2]), some("R K", [3, 2])];
const overlap = { iou: 0.5, inclusive: true };
const level = { rule: "area", canonical_level: 4, canonical_size: 224, min: 2, max: 5 };
const objects = boxes("N G 4", [2, 3]);
const present = input("N G", [2, 3], [1, 1, 0, 0, 0, 0]);
const overlaps = some("N A G", [2, 5, 3]);
const labels = input("N A", [2, 5], [1, 0, -1, 0, 0, -1, -1, 1, 1, 1]);
const thresholds = { positive: 0.7, negative: 0.3 };
const anchors = { sizes: [32, 64], ratios: [0.5, 1], order: "by_size", rounding: "none", stride: [8, 8] };
const coder = { weights: [10, 10, 5, 5], inclusive: true };
const pool = { size: [2, 3], scale: [0.25, 0.5] };
const align = { ...pool, sampling: 2 };

const use = (op: string, inputs: readonly Input[], attributes: Attributes = {}, since = 13): Example => ({
  op,
  inputs,
  attributes,
  since,
});

export const EXAMPLES: readonly Example[] = [
  {
    op: "unless_given",
    inputs: [some("N T 4", [2, 5, 4]), some("N P 4", [2, 3, 4])],
    attributes: {},
    since: 13,
  },
  {
    op: "as_detections",
    inputs: [some("N T 4", [2, 5, 4]), some("N T", [2, 5])],
    attributes: {},
    since: 13,
  },
  use("image_info", [image, { ...images, sizes: "M 6" }]),
  use("image_values", [images], { what: "scale", apart: true }),
  use("whole_images", [images], { inclusive: true }),
  use("anchors", [map, image], { ...anchors, step: "grid" }),
  use("anchors", [map, image], { ...anchors, step: "fixed" }),
  use("anchors", [map, image], { ...anchors, order: "paired", step: [7], offset: 0.5 }),
  use("anchor_values", [map], { values: 4 }),
  use("anchor_classes", [map], { classes: 4 }),
  use("anchor_classes", [map], { classes: 8 }),
  use("anchor_logits", [map], { kind: "sigmoid" }),
  use("anchor_logits", [map], { kind: "softmax" }),
  use("split_classes", [some("R K", [3, 8])]),
  use("box_decode", [boxes("R 1 4", [3, 1]), some("R K 4", [3, 2, 4])], { ...coder, clamp: 4, last_pixel: true }),
  use("distance_decode", [boxes("L 4", [5]), some("N L 4", [2, 5, 4])]),
  use("box_encode", [boxes("R 4", [3]), boxes("R 4", [3])], coder),
  use("box_clip", [candidates, some("N 1 2", [2, 1, 2], 20)], { inclusive: true }),
  use("box_scale", [candidates, some("N 1 2", [2, 1, 2], 20)], { divide: true }),
  use("mask_small", [candidateScores, candidates], { min_size: 16, inclusive: true, strict: false }),
  use("mask_small", [candidateScores, candidates, some("N 1", [2, 1])], {
    min_size: 4,
    inclusive: false,
    strict: true,
  }),
  use("top_k", [some("N L", [2, 9])], { k: 4 }),
  use("gather_rows", [boxes("N L 4", [2, 9]), indices("N T", [2, 2], [0, 3, 8, 1])]),
  use("gather_rows", [boxes("L 4", [9]), indices("N T", [2, 2], [0, 3, 8, 1])]),
  use("top_candidates", [some("N K L", [2, 3, 5])], { k: 7, each_class: false }),
  use("top_candidates", [some("N K L", [2, 3, 5])], { k: 2, each_class: true }),
  use("top_boxes", [candidates, candidateScores, candidateLabels], { keep: 3 }),
  use("top_regions", [candidates, candidateScores], { keep: 3 }),
  use("select_valid", [some("D", [2]), boxes("D 4", [2]), indices("D", [2], [4, 5])]),
  use("nms", [candidates, candidateScores], { ...overlap, keep: 3 }),
  use("nms", [candidates, candidateScores, candidateLabels], { ...overlap, keep: 3, threshold: 0.2 }),
  use("batched_nms", [judged, probabilities, regions, images], { ...overlap, threshold: 0.1 }),
  use("region_boxes", [regions]),
  use("with_boxes", [regions, boxes("R 4", [3])], { inclusive: true }),
  use("as_regions", [boxes("D 4", [2]), indices("D", [2], [1, 0])]),
  use("rows_of_image", [some("N 1 2", [2, 1, 2]), regions]),
  use("rows_of_image", [some("N 2", [2, 2]), indices("D", [3], [1, 0, 1])]),
  use("rows_of_image", [some("N 2", [2, 2]), picks]),
  use("concat_rows", [regions, { ...regions, sizes: "Q 5" }]),
  use("roi_pool", [map, regions], pool),
  use("roi_align", [map, regions], { ...align, aligned: true }),
  use("roi_align", [map, regions], { ...align, aligned: false }),
  use("roi_pool", [map, regions], { ...pool, algorithm: "tables" }),
  use("roi_align", [map, regions], { ...align, aligned: true, algorithm: "samples" }),
  use("roi_align", [map, regions], { ...align, aligned: false, algorithm: "products" }),
  use("roi_align", [map, regions], { ...align, sampling: 0, aligned: true, algorithm: "products" }),
  use("roi_pool_gradient", [some("R C p q", [3, 8, 2, 3]), { ...map, sizes: "n C h w" }, regions], pool, 16),
  use("roi_align_gradient", [some("R C p q", [3, 8, 2, 3]), map, regions], { ...align, aligned: true }),
  use("roi_align_gradient", [some("R C p q", [3, 8, 2, 3]), map, regions], { ...align, sampling: 0, aligned: false }),
  use("roi_align_gradient", [some("R C p q", [3, 8, 2, 3]), map, regions], {
    ...align,
    aligned: true,
    algorithm: "images",
  }),
  use("roi_align_gradient", [some("R C p q", [3, 2, 2, 3]), some("N C h w", [2, 2, 4, 100]), regions], {
    ...align,
    sampling: 0,
    aligned: false,
    algorithm: "images",
  }),
  use("assign_level", [regions], level),
  use("assign_level", [regions], { rule: "scale", factors: [0.5, 1, 2], second: true, inclusive: true }),
  use("regions_of_level", [regions, indices("R", [3], [0, 1, 0])], { level: 0 }),
  use("merge_levels", [
    some("A C 1 1", [2, 4, 1, 1]),
    some("B C 1 1", [1, 4, 1, 1]),
    indices("A", [2], [0, 2]),
    indices("B", [1], [1]),
    regions,
  ]),
  use("pick_class", [judged, probabilities]),
  use("top_detections", [{ ...picks, sizes: "S 3" }, some("S", [2]), images], { keep: 1, ties: true }),
  use("pick_boxes", [judged, picks]),
  use("pick_masks", [some("R K h w", [3, 2, 4, 5]), indices("D", [2], [1, 0])]),
  use("pick_masks_gradient", [some("R h w", [3, 4, 5]), some("R K h w", [3, 2, 4, 5]), indices("R", [3], [1, 0, 1])]),
  use(
    "mask_targets",
    [
      boxes("N P 4", [2, 2]),
      some("N G h w", [2, 3, 6, 6]),
      boxes("N G 4", [2, 3]),
      indices("N P", [2, 2], [0, 2, 1, 0]),
      input("N P", [2, 2], [1, 0, -1, 1]),
    ],
    { size: [2, 3], aligned: false },
  ),
  use("box_iou", [boxes("A 4", [5]), objects], { inclusive: true }),
  use("box_iou", [boxes("N A 4", [2, 5]), objects], { inclusive: false }),
  use("match", [overlaps, present], { ...thresholds, lowest: 0.1, best: "none" }),
  use("match", [overlaps, present], { ...thresholds, best: "positive" }),
  use("match", [overlaps, present, some("N A", [2, 5])], { ...thresholds, best: "own" }),
  use("label_masks", [labels]),
  use("boxes_inside", [boxes("A 4", [5]), some("N 1 2", [2, 1, 2], 30)], { inclusive: true }),
  use("boxes_inside", [boxes("N A 4", [2, 5]), some("N 1 2", [2, 1, 2], 30)], { border: 4 }),
  use("sample", [labels], { count: 3, share: 0.5 }),
  use("sample_by", [labels, some("N A", [2, 5])], { count: 3, share: 0.5 }),
  use("sampled_rows", [labels], { count: 4 }),
  use("gather_values", [candidateScores, indices("N S", [2, 2], [0, 3, 5, 1])]),
  use("flat_rows", [boxes("N S 4", [2, 3])]),
  use("rows_as_regions", [boxes("N S 4", [2, 3])]),
  use("class_shares", [labels, input("N A", [2, 5], [0, 1, 2, 0, 1, 2, 0, 1, 2, 0])], { classes: 3 }),
  use("class_shares", [labels, input("N A", [2, 5], [0, 1, 2, 0, 1, 2, 0, 1, 2, 0])], {
    classes: 3,
    background: "last",
  }),
  use("are_valid", [candidateScores]),
  use("last_pixels", [candidates]),
  use("last_pixels", [objects, some("N 1 2", [2, 1, 2], 2)]),
  use("take_rows", [some("R C p q", [3, 8, 2, 3]), indices("S", [2], [2, 0])]),
  use(
    "sum_of_images",
    [some("R C p q", [3, 8, 2, 3]), input("R 5", [3, 5], [1, 0, 0, 9, 9, 0, 0, 0, 9, 9, 1, 0, 0, 4, 4])],
    {
      images: 2,
    },
  ),
  use("box_vote", [judged, probabilities, regions, picks], { ...overlap, threshold: 0, offset: 0.5 }),
];
