import { add } from "../ir/dim.js";
import { size2 } from "./attributes.js";
import { sizes } from "./formula.js";
import type { Operator } from "./operator.js";
import { featureMap, reshaped } from "./shapes.js";
import { size } from "../words/schema.js";

/** Zeros round the map: [N, C, H, W] to [N, C, H + 2a, W + 2b]. */
export const pad: Operator = {
  name: "pad",
  doc: "Zeros around height and width.",
  layer: {
    arguments: { amount: size("Rows above and below, columns left and right.", { min: 0 }) },
  },
  infer([x], attributes) {
    const map = featureMap(x, "pad");
    const [rows, columns] = size2(attributes, "amount");
    return [reshaped(x, [map.batch, map.channels, add(map.height, 2 * rows), add(map.width, 2 * columns)])];
  },
  label: (attributes) => `pad ${size2(attributes, "amount").join("x")}`,
  lower(node, emit) {
    const sides = size2(node.attributes, "amount");
    const pads = emit.constant([0, 0, ...sides, 0, 0, ...sides], "int64");
    emit.node("Pad", [emit.name(node.inputs[0]!), pads], [emit.name(node.outputs[0]!)], { mode: "constant" });
  },
  gradient(node, [dy], builder) {
    if (dy === undefined) return [];
    const [from, [, , height, width]] = [size2(node.attributes, "amount"), sizes(node.inputs[0]!)];
    const to = [from[0] + height!, from[1] + width!];
    return builder.apply("slice", [dy], { axes: [2, 3], from: [...from], to });
  },
};
