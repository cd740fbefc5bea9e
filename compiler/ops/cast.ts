import type { DataType } from "../ir/types.js";
import { onnxType } from "../ir/dtype.js";
import { word } from "./attributes.js";
import type { Operator } from "./operator.js";
import { known } from "./shapes.js";

/** The same values as another element type; made by the precision pass. */
export const cast: Operator = {
  name: "cast",
  doc: "Values as another element type.",
  infer: ([x], attributes) => [{ dtype: word(attributes, "to") as DataType, shape: known(x).shape }],
  label: (attributes) => `to ${word(attributes, "to")}`,
  lower(node, emit) {
    const to = onnxType(word(node.attributes, "to") as DataType);
    emit.node("Cast", [emit.name(node.inputs[0]!)], [emit.name(node.outputs[0]!)], { to });
  },
  gradient: (node, [dy], builder) =>
    dy === undefined ? [] : builder.apply("cast", [dy], { to: node.inputs[0]!.type.dtype }),
};
