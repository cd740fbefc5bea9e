import type { Operator } from "./operator.js";
import { known } from "./shapes.js";
import { writer } from "./write.js";

/**
 * q [K, ...] of int8, scale [K], to q * scale in fp32: a weight that is stored as 8-bit numbers for a layer that computes in
 * fp32. Runtimes work it out once, when they load the model, since it is of operators that they fold. ONNX Runtime leaves a
 * DequantizeLinear where it is, and would compute it in every run.
 */
export const restore: Operator = {
  name: "restore",
  doc: "A weight in fp32, of the 8-bit numbers that it is stored as.",
  infer: ([q, scale]) => [{ dtype: known(scale).dtype, shape: known(q).shape }],
  label: () => "restore",
  lower(node, emit) {
    const w = writer(node, emit);
    const [q, scale] = w.inputs as readonly [string, string];
    const axes = known(node.inputs[0]?.type).shape.map((_, axis) => axis);
    w.give("Mul", [w.cast(q, "float32"), w.unsqueeze(scale, axes.slice(1), "scale")]);
  },
  gradient: "none",
};
