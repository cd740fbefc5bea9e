/**
 * Boxes: float32 [..., 4] = x1, y1, x2, y2. `inclusive`: x2 names the last pixel, a box is x2 - x1 + 1 wide; otherwise
 * x2 - x1. Points and sizes are pairs, x and y at once.
 */
import type { Dim } from "../../ir/dim.js";
import type { Attributes, TensorType } from "../../ir/types.js";
import { flag, int } from "../attributes.js";
import type { Operator } from "../operator.js";
import { broadcastShape } from "../tensor/arithmetic.js";
import { ints } from "../tensor/shape.js";
import { floats, forms } from "./forms.js";
import { FINITE, LOWEST } from "./scores.js";
import { boolean, number, tensor } from "../../words/schema.js";
import { INCLUSIVE, CODING, CLAMP, LAST_PIXEL } from "./arguments.js";
import { writer, type Writer } from "../write.js";

/** Width and height of boxes: [..., 4] to [..., 2]. */
export function writeSizes(w: Writer, boxes: string, attributes: Attributes): string {
  const size = w.step("Sub", [w.slice(boxes, -1, 2, 4, "end"), w.slice(boxes, -1, 0, 2, "start")], "size");
  return flag(attributes, "inclusive") ? w.step("Add", [size, w.number(1)], "pixels") : size;
}

/** The middle of boxes as the deltas see it, start + size / 2: [..., 2]. */
function writeCentres(w: Writer, boxes: string, size: string): string {
  const half = w.step("Mul", [size, w.number(0.5)], "half");
  return w.step("Add", [w.slice(boxes, -1, 0, 2, "corner"), half], "centre");
}

function bothShapes(operator: string, second: string, inputs: readonly TensorType[]): readonly TensorType[] {
  const [a, b] = forms(operator, { boxes: ["...", 4], [second]: ["...", 4] }, inputs);
  return [floats(...broadcastShape(a!, b!, operator))];
}

/** Two of the four weights of the deltas, for x and y or for width and height. */
function weightPair(w: Writer, attributes: Attributes, which: "centre" | "size"): string | undefined {
  const weights = ints(attributes, "weights");
  const pair = which === "centre" ? weights.slice(0, 2) : weights.slice(2);
  return pair.every((weight) => weight === 1) ? undefined : w.numbers(pair);
}

/**
 * boxes [..., 4], deltas [..., 4] = dx, dy, dw, dh to boxes, shapes broadcast: the centre moves by dx widths, the size
 * grows e^dw-fold. Deltas are first divided by `weights`; dw and dh are no larger than `clamp` (0: as large as they
 * are). The far corner is centre + size / 2, less 1 with `last_pixel`.
 */
const boxDecode: Operator = {
  name: "box_decode",
  doc: "Boxes moved and stretched by predicted deltas.",
  layer: {
    arguments: { deltas: tensor("dx, dy, dw, dh of each box."), ...CODING, clamp: CLAMP, last_pixel: LAST_PIXEL },
  },
  fullPrecision: true,
  gradient: "none",
  infer: (inputs) => bothShapes("box_decode", "deltas", inputs),
  lower(node, emit) {
    const w = writer(node, emit);
    const { attributes } = node;
    const [boxes, deltas] = w.inputs as readonly [string, string];
    const weighted = (which: "centre" | "size", from: number): string => {
      const delta = w.slice(deltas, -1, from, from + 2, `delta.${which}`);
      const weights = weightPair(w, attributes, which);
      return weights === undefined ? delta : w.step("Div", [delta, weights], `weighted.${which}`);
    };
    const size = writeSizes(w, boxes, attributes);
    const moved = w.step("Mul", [weighted("centre", 0), size], "moved");
    const centre = w.step("Add", [moved, writeCentres(w, boxes, size)], "centre.new");
    const clamp = int(attributes, "clamp");
    const growth = weighted("size", 2);
    const clamped = clamp === 0 ? growth : w.step("Min", [growth, w.number(clamp)], "clamped");
    const grown = w.step("Mul", [w.step("Exp", [clamped], "growth"), size], "grown");
    const half = w.step("Mul", [grown, w.number(0.5)], "half.new");
    let end = w.step("Add", [centre, half], "end.new");
    if (flag(attributes, "last_pixel")) end = w.step("Sub", [end, w.number(1)], "last");
    w.give("Concat", [w.step("Sub", [centre, half], "start.new"), end], { axis: -1 });
  },
};

/** boxes [..., 4], targets [..., 4] to the deltas that make targets of boxes, times `weights`: the inverse of box_decode. */
const boxEncode: Operator = {
  name: "box_encode",
  doc: "The deltas that move and stretch boxes to their targets.",
  layer: { arguments: { targets: tensor("What each box should become."), ...CODING } },
  fullPrecision: true,
  gradient: "none",
  infer: (inputs) => bothShapes("box_encode", "targets", inputs),
  lower(node, emit) {
    const w = writer(node, emit);
    const [boxes, targets] = w.inputs as readonly [string, string];
    const [from, to] = [writeSizes(w, boxes, node.attributes), writeSizes(w, targets, node.attributes)];
    const way = w.step("Sub", [writeCentres(w, targets, to), writeCentres(w, boxes, from)], "way");
    const weighted = (x: string, which: "centre" | "size"): string => {
      const weights = weightPair(w, node.attributes, which);
      return weights === undefined ? x : w.step("Mul", [x, weights], `weighted.${which}`);
    };
    const centre = weighted(w.step("Div", [way, from], "way.relative"), "centre");
    const size = weighted(w.step("Log", [w.step("Div", [to, from], "growth")], "growth.log"), "size");
    w.give("Concat", [centre, size], { axis: -1 });
  },
};

/**
 * boxes [..., 4], distances [..., 4] = left, top, right, bottom to boxes, shapes broadcast: from the middle of each box as
 * far to each side, in widths and heights of the box (x2 - x1, y2 - y1).
 */
const distanceDecode: Operator = {
  name: "distance_decode",
  doc: "Boxes by predicted distances of their sides from the middle of others.",
  layer: { arguments: { distances: tensor("Left, top, right, bottom of each box, in its widths and heights.") } },
  fullPrecision: true,
  gradient: "none",
  infer: (inputs) => bothShapes("distance_decode", "distances", inputs),
  lower(node, emit) {
    const w = writer(node, emit);
    const [boxes, distances] = w.inputs as readonly [string, string];
    const size = writeSizes(w, boxes, { inclusive: false });
    const centre = writeCentres(w, boxes, size);
    const far = (from: number, suffix: string): string =>
      w.step("Mul", [w.slice(distances, -1, from, from + 2, `share.${suffix}`), size], `far.${suffix}`);
    const start = w.step("Sub", [centre, far(0, "start")], "start.new");
    w.give("Concat", [start, w.step("Add", [centre, far(2, "end")], "end.new")], { axis: -1 });
  },
};

/** Pairs (y, x) as (x, y, x, y), in the order of a box's coordinates: [..., 2] to [..., 4]. */
function writeForCorners(w: Writer, pairs: string): string {
  return w.step("Gather", [pairs, w.ints(1, 0, 1, 0)], "corners", { axis: -1 });
}

function withPairs(operator: string, what: string, inputs: readonly TensorType[]): readonly TensorType[] {
  const [boxes, pairs] = forms(operator, { boxes: ["...", 4], [what]: ["...", 2] }, inputs) as [Dim[], Dim[]];
  return [floats(...broadcastShape(boxes, [...pairs.slice(0, -1), 4], operator))];
}

/** boxes [..., 4], sizes [..., 2] = height, width to boxes inside of 0 to width (to width - 1 where inclusive). */
const boxClip: Operator = {
  name: "box_clip",
  doc: "Boxes cut off at the edges of their image.",
  layer: { arguments: { sizes: tensor("Height and width of each box's image."), inclusive: INCLUSIVE } },
  fullPrecision: true,
  gradient: "none",
  infer: (inputs) => withPairs("box_clip", "sizes", inputs),
  lower(node, emit) {
    const w = writer(node, emit);
    const [boxes, sizes] = w.inputs as readonly [string, string];
    const largest = flag(node.attributes, "inclusive") ? w.step("Sub", [sizes, w.number(1)], "largest") : sizes;
    const inside = w.step("Max", [boxes, w.number(0)], "inside");
    w.give("Min", [inside, writeForCorners(w, largest)]);
  },
};

/** boxes [..., 4], factors [..., 2] = y, x to boxes times the factors, over them with `divide`. */
const boxScale: Operator = {
  name: "box_scale",
  doc: "Boxes in the coordinates of a larger or smaller image.",
  layer: {
    arguments: {
      factors: tensor("Along y and x, of each box."),
      divide: boolean("By the factors, in place of times.", { default: false }),
    },
  },
  fullPrecision: true,
  gradient: "none",
  infer: (inputs) => withPairs("box_scale", "factors", inputs),
  lower(node, emit) {
    const w = writer(node, emit);
    w.give(flag(node.attributes, "divide") ? "Div" : "Mul", [w.inputs[0]!, writeForCorners(w, w.inputs[1]!)]);
  },
};

/**
 * scores [...], boxes [..., 4], and perhaps scale [...] (broadcast) to scores, LOWEST where width or height is smaller
 * than `min_size` times the scale (with `strict`: not greater), and where a coordinate, a size or the score itself is
 * not finite.
 */
const maskSmall: Operator = {
  name: "mask_small",
  doc: "Scores without those of boxes that are too small or not finite.",
  layer: {
    arguments: {
      boxes: tensor("The boxes of the scores that arrive."),
      scale: tensor("Times `min_size`, of each box.", { optional: true }),
      min_size: number("The smallest width and height.", { min: 0 }),
      inclusive: INCLUSIVE,
      strict: boolean("A box of just that size is too small.", { default: false }),
    },
  },
  fullPrecision: true,
  gradient: "none",
  infer(inputs) {
    const [scores, boxes] = forms("mask_small", { scores: ["..."], boxes: ["...", 4] }, inputs) as [Dim[], Dim[]];
    const shape = broadcastShape(scores, boxes.slice(0, -1), "mask_small");
    const scale = inputs[2]?.shape;
    return [floats(...(scale === undefined ? shape : broadcastShape(shape, scale, "mask_small")))];
  },
  lower(node, emit) {
    const w = writer(node, emit);
    const [scores, boxes, scale] = w.inputs as readonly [string, string, string | undefined];
    const minimum = w.number(int(node.attributes, "min_size"));
    const smallest = scale === undefined ? minimum : w.step("Mul", [scale, minimum], "smallest");
    const size = writeSizes(w, boxes, node.attributes);
    // A corner that is not finite makes a size that is not: NaN is neither above nor below anything.
    const compare = flag(node.attributes, "strict") ? "Greater" : "GreaterOrEqual";
    const fits = [0, 1].map((axis) => {
      const side = w.column(size, axis, "side");
      const large = w.step(compare, [side, smallest], "large");
      return w.step("And", [large, w.step("LessOrEqual", [side, w.number(FINITE)], "finite")], "fits");
    });
    const real = w.step("LessOrEqual", [w.step("Abs", [scores], "magnitude"), w.number(FINITE)], "real");
    const kept = w.step("And", [w.step("And", fits, "large_enough"), real], "kept");
    w.give("Where", [kept, scores, w.number(LOWEST)]);
  },
};

export const BOXES: readonly Operator[] = [boxDecode, boxEncode, distanceDecode, boxClip, boxScale, maskSmall];
