import { int } from "./attributes.js";
import { formula } from "./formula.js";
import type { Operator } from "./operator.js";
import { channelsOf, known } from "./shapes.js";
import { writer } from "./write.js";
import { number } from "../words/schema.js";

/**
 * x / max(length, eps), length over the channels of one place of one example: [N, C, ...] to the same; torch's
 * F.normalize. ParseNet's (arXiv:1506.04579, section 3.3) and SSD's, where `scale 20` follows.
 */
export const l2Norm: Operator = {
  name: "l2_norm",
  doc: "The channels of each place divided by their Euclidean length.",
  layer: {
    arguments: { eps: number("The least length divided by.", { min: 1e-18, default: 1e-12 }) },
  },
  infer([x]) {
    channelsOf(x, "l2_norm");
    return [known(x)];
  },
  fullPrecision: true,
  label: () => "l2 norm",
  lower(node, emit) {
    const w = writer(node, emit);
    const [x] = w.inputs as readonly [string];
    const squares = w.reduce("Sum", w.step("Mul", [x, x], "squares"), [1], "sum", true);
    const least = w.step("Clip", [squares, w.number(int(node.attributes, "eps") ** 2)], "least");
    w.give("Div", [x, w.step("Sqrt", [least], "length")]);
  },
  // (dy - y <y, dy>) / length; where the length is below eps it is a constant, and the second part goes.
  gradient(node, [dy], builder) {
    if (dy === undefined) return [];
    const f = formula(builder);
    const [x, y, least] = [node.inputs[0]!, node.outputs[0]!, int(node.attributes, "eps") ** 2];
    const excess = f.affine(f.sum(f.times(x, x), [1], true), 1, -least);
    const above = f.positive(excess);
    const inverse = f.power(f.affine(f.times(excess, above), 1, least), -0.5);
    const along = f.times(f.sum(f.times(dy, y), [1], true), above);
    return [f.times(f.minus(dy, f.times(y, along)), inverse)];
  },
};
