/** What webgpu.test.ts runs on WebGPU, in a process of its own. */
import type { Attributes } from "../../../../compiler/ir/types.js";
import { uniform } from "../../../support/oracle-weights.js";
import type { Input } from "./run.js";
import { indices, input } from "./samples.js";

export interface Case {
  readonly op: string;
  readonly inputs: readonly Input[];
  readonly attributes: Attributes;
  /** Whether every operator has to run on WebGPU, with sizes known; else it may leave some to the processor, and sizes are open. */
  readonly alone: boolean;
}

const [height, width] = [7, 9];
const features = input("N C h w", [2, 3, height, width], [...uniform("features", 2 * 3 * height * width, -1, 1)]);

/** Of images in turn, inside of a map at a quarter of their size. */
function regions(count: number): Input {
  const numbers = uniform(`regions ${count}`, 4 * count, 0, 1);
  const rows = Array.from({ length: count }, (_, row) => {
    const side = (at: number, length: number): readonly [number, number] => {
      const ends = [numbers[4 * row + at]!, numbers[4 * row + at + 2]!].map((part) => Math.fround(4 * part * length));
      return [Math.min(...ends), Math.max(...ends)];
    };
    const [[x1, x2], [y1, y2]] = [side(0, width), side(1, height)];
    return [row % 2, x1, y1, x2, y2];
  });
  return input("R 5", [count, 5], rows.flat());
}

const pool = { size: [3, 4], scale: [0.25, 0.25] };
const given = [features, regions(12)];
const align = { ...pool, aligned: true };

const [boxCount, objectCount] = [40, 3];
const random = (name: string, sizes: string, shape: readonly number[], most = 1): Input =>
  input(sizes, shape, [
    ...uniform(
      name,
      shape.reduce((a, b) => a * b, 1),
      0,
      most,
    ),
  ]);

/** Boxes of two images, each at least five pixels wide. */
function boxes(sizes: string, lead: readonly number[]): Input {
  const { shape, data } = random(sizes, sizes, [...lead, 4], 20);
  return input(
    sizes,
    shape,
    data.map((each, at) => (at % 4 < 2 ? each : Math.fround(each + data[at - 2]! + 5))),
  );
}

const overlaps = random("overlaps", "N A G", [2, boxCount, objectCount]);
const present = input("N G", [2, objectCount], [1, 1, 0, 0, 0, 0]);
const candidates = input(
  "N A",
  [2, boxCount],
  Array.from({ length: 2 * boxCount }, (_, at) => (at % 5 === 0 ? 0 : 1)),
);
const labels = input(
  "N A",
  [2, boxCount],
  Array.from({ length: 2 * boxCount }, (_, at) => (at % 3) - 1),
);
const classes = input(
  "N A",
  [2, boxCount],
  Array.from({ length: 2 * boxCount }, (_, at) => at % 4),
);
const thresholds = { positive: 0.7, negative: 0.5 };
const places = indices("N T", [2, 5], [0, 39, 7, 7, 2, 11, 0, 1, 38, 4]);

/** Of what a detector is trained by. */
const TARGETS: Readonly<Record<string, Case>> = {
  "overlaps of anchors": {
    op: "box_iou",
    inputs: [boxes("A 4", [boxCount]), boxes("N G 4", [2, objectCount])],
    attributes: { inclusive: true },
    alone: true,
  },
  "overlaps of regions": {
    op: "box_iou",
    inputs: [boxes("N A 4", [2, boxCount]), boxes("N G 4", [2, objectCount])],
    attributes: { inclusive: false },
    alone: true,
  },
  "matches, none the best": {
    op: "match",
    inputs: [overlaps, present],
    attributes: { ...thresholds, best: "none" },
    alone: true,
  },
  "matches, the best of candidates": {
    op: "match",
    inputs: [overlaps, present, candidates],
    attributes: { ...thresholds, best: "positive" },
    alone: true,
  },
  "matches, owned": {
    op: "match",
    inputs: [overlaps, present],
    attributes: { ...thresholds, lowest: 0.2, best: "own" },
    alone: false,
  },
  masks: { op: "label_masks", inputs: [labels], attributes: {}, alone: true },
  "boxes inside": {
    op: "boxes_inside",
    inputs: [boxes("N A 4", [2, boxCount]), input("N 1 2", [2, 1, 2], [30, 35, 25, 40])],
    attributes: { inclusive: true },
    alone: true,
  },
  sample: {
    op: "sample_by",
    inputs: [labels, random("numbers", "N A", [2, boxCount])],
    attributes: { count: 16, share: 0.25 },
    alone: true,
  },
  "sample of fewer than asked for": {
    op: "sample_by",
    inputs: [labels, random("numbers", "N A", [2, boxCount])],
    attributes: { count: 64, share: 0.5 },
    alone: true,
  },
  "sampled rows": { op: "sampled_rows", inputs: [labels], attributes: { count: 64 }, alone: false },
  "gathered values": { op: "gather_values", inputs: [classes, places], attributes: {}, alone: true },
  "flat rows": { op: "flat_rows", inputs: [boxes("N S 4", [2, boxCount])], attributes: {}, alone: true },
  "rows as regions": { op: "rows_as_regions", inputs: [boxes("N S 4", [2, boxCount])], attributes: {}, alone: true },
  "shares of classes": {
    op: "class_shares",
    inputs: [labels, classes],
    attributes: { classes: 4, background: "last" },
    alone: true,
  },
  "valid scores": {
    op: "are_valid",
    inputs: [input("N T", [2, 2], [0.5, -3.4e38, 0, -3.4e38].map(Math.fround))],
    attributes: {},
    alone: true,
  },
  "last pixels": { op: "last_pixels", inputs: [boxes("N S 4", [2, boxCount])], attributes: {}, alone: true },
  "taken rows": {
    op: "take_rows",
    inputs: [random("rows", "R C p q", [12, 3, 3, 4]), indices("S", [4], [3, 0, 11, 3])],
    attributes: {},
    alone: true,
  },
};

/** What gives nothing but values that it was given, and whole numbers. */
export const EXACT: ReadonlySet<string> = new Set(
  Object.values(TARGETS)
    .map(({ op }) => op)
    .filter((op) => op !== "box_iou"),
);

export const CASES: Readonly<Record<string, Case>> = {
  ...TARGETS,
  tables: { op: "roi_pool", inputs: given, attributes: { ...pool, algorithm: "tables" }, alone: true },
  samples: { op: "roi_align", inputs: given, attributes: { ...align, sampling: 2, algorithm: "samples" }, alone: true },
  "samples, a cell at least": {
    op: "roi_align",
    inputs: given,
    attributes: { ...pool, aligned: false, sampling: 3, algorithm: "samples" },
    alone: true,
  },
  products: {
    op: "roi_align",
    inputs: given,
    attributes: { ...align, sampling: 2, algorithm: "products" },
    alone: true,
  },
  "products, points by the region": {
    op: "roi_align",
    inputs: given,
    attributes: { ...align, sampling: 0, algorithm: "products" },
    alone: false,
  },
  "gradient of roi_pool": {
    op: "roi_pool_gradient",
    inputs: [input("R C p q", [12, 3, 3, 4], [...uniform("dy", 12 * 36, -1, 1)]), ...given],
    attributes: pool,
    alone: true,
  },
  "gradient of roi_align": {
    op: "roi_align_gradient",
    inputs: [input("R C p q", [12, 3, 3, 4], [...uniform("dy", 12 * 36, -1, 1)]), ...given],
    attributes: { ...align, sampling: 2 },
    alone: true,
  },
  operators: {
    op: "roi_align",
    inputs: given,
    attributes: { ...align, sampling: 0, algorithm: "operator" },
    alone: false,
  },
  "tables, no regions": {
    op: "roi_pool",
    inputs: [features, regions(0)],
    attributes: { ...pool, algorithm: "tables" },
    alone: false,
  },
  "samples, no regions": {
    op: "roi_align",
    inputs: [features, regions(0)],
    attributes: { ...align, sampling: 2, algorithm: "samples" },
    alone: false,
  },
  "products, no regions": {
    op: "roi_align",
    inputs: [features, regions(0)],
    attributes: { ...align, sampling: 0, algorithm: "products" },
    alone: false,
  },
};

/** Detectors of a few layers, each with its own way to pool; 48 x 64 pixels. */
export const IMAGE = { shape: [1, 3, 48, 64], data: [...uniform("image", 3 * 48 * 64, -2, 2)] };

const detector = (dialect: string, pool: string, masks = ""): string => `
  import { detect, found_regions, propose, with_masks } from "std/detection"
  import { ${dialect} } from "std/dialects"
  detector Net {
    input image 3xHxW
    dialect ${dialect}
    features = conv 3x3, 8, /2   relu
    objectness = conv 1x1, ${dialect === "paper" ? 12 : 6} on features
    deltas = conv 1x1, 24 on features
    regions = propose(objectness, deltas, [[24, 40]], [0.5, 1, 2], top: 100, nms: 0.7, keep: 20)
    ${pool}
    pooled = global_avg_pool   fc 4   scores = softmax   boxes = fc ${dialect === "detectron2" ? 12 : 16} on pooled
    found = detect(regions, scores, boxes, nms: 0.5, keep: 10)
    ${masks}
  }`;

export const DETECTORS: Readonly<Record<string, string>> = {
  tables: detector("paper", "roi_pool features, 4x4"),
  products: detector("detectron2", "roi_align features, 4x4"),
  samples: detector("detectron2", "roi_align features, 4x4, sampling: 2"),
  masks: detector(
    "detectron2",
    "roi_align features, 4x4, sampling: 2",
    `found_regions(found)
    roi_align features, 6x6, sampling: 2
    conv 3x3, 8, bias: true   relu
    conv_transpose 2x2, 8, /2, bias: true   relu
    conv 1x1, 4, bias: true
    each = sigmoid
    with_masks(found, each)`,
  ),
};
