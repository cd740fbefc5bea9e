import { elementwise } from "./elementwise.js";

export const relu6 = elementwise({
  name: "relu6",
  doc: "min(max(x, 0), 6).",
  cutsOff: true,
  lower(node, emit) {
    const dtype = node.inputs[0]!.type.dtype;
    const inputs = [emit.name(node.inputs[0]!), emit.constant([0], dtype, []), emit.constant([6], dtype, [])];
    emit.node("Clip", inputs, [emit.name(node.outputs[0]!)]);
  },
  gradient: (f, dy, x) => f.times(dy, f.times(f.positive(x), f.positive(f.affine(x, -1, 6)))),
});
