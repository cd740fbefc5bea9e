import { floorDiv, mul, type Dim } from "../ir/dim.js";
import { int } from "./attributes.js";
import { ShapeError, type Operator } from "./operator.js";
import { resizeGradient, RESIZING } from "./resizing.js";
import { featureMap, requirePositive, reshaped } from "./shapes.js";
import { writer } from "./write.js";
import { number } from "../words/schema.js";

/** The largest divisor of a factor: 1/64 of an image is nothing to look at. */
const MOST_DIVISOR = 64;

/**
 * Height and width times a factor such as 2/3, rounded down: [N, C, H, W] to [N, C, floor(2H/3), floor(2W/3)]. Linear
 * between the middles of pixels, without averaging where it shrinks; the levels of an image pyramid.
 */
export const rescale: Operator = {
  name: "rescale",
  doc: "Height and width times a factor, bilinear.",
  layer: {
    arguments: { factor: number("A ratio of whole numbers: 2 / 3.", { min: 1 / MOST_DIVISOR }) },
  },
  infer([x], attributes) {
    const map = featureMap(x, "rescale");
    const [times, by] = fraction(int(attributes, "factor"));
    const side = (size: Dim): Dim => {
      const scaled = floorDiv(mul(size, times), by);
      requirePositive(scaled, () => `rescale: ${times}/${by} of the map is nothing`);
      return scaled;
    };
    return [reshaped(x, [map.batch, map.channels, side(map.height), side(map.width)])];
  },
  scale(attributes) {
    const factor = int(attributes, "factor");
    return [1 / factor, 1 / factor];
  },
  label: (attributes) => `x ${fraction(int(attributes, "factor")).join("/")}`,
  // By sizes that whole numbers give: a factor in floating point may round the other way.
  lower(node, emit) {
    const w = writer(node, emit);
    const [x] = w.inputs as readonly [string];
    const [times, by] = fraction(int(node.attributes, "factor"));
    const scaled = w.step("Mul", [w.step("Shape", [x], "shape"), w.ints(1, 1, times, times)], "scaled");
    const sizes = w.step("Div", [scaled, w.ints(1, 1, by, by)], "sizes");
    w.give("Resize", [x, "", "", sizes], RESIZING["bilinear"]);
  },
  gradient: (node, [dy], builder) =>
    dy === undefined ? [] : [resizeGradient(builder, dy, node.inputs[0]!, "bilinear")],
};

/** The ratio of whole numbers that a factor is: [2, 3] of 0.6667. */
function fraction(factor: number): readonly [times: number, by: number] {
  for (let by = 1; by <= MOST_DIVISOR; by += 1) {
    const times = Math.round(factor * by);
    if (times > 0 && Math.abs(times / by - factor) < 1e-9) return [times, by];
  }
  throw new ShapeError(
    `rescale: ${factor} is no ratio of whole numbers with a divisor up to ${MOST_DIVISOR}`,
    "write it as `2 / 3`",
  );
}
