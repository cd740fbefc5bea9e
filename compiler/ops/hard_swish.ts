import { elementwise } from "./elementwise.js";

export const hardSwish = elementwise({
  name: "hard_swish",
  doc: "x * clip(x / 6 + 1/2, 0, 1), MobileNetV3's.",
  // ONNX has it as one operator from opset 14 on, which ONNX Runtime takes apart again.
  lower(node, emit) {
    const x = emit.name(node.inputs[0]!);
    const gate = emit.temporary("gate");
    emit.node("HardSigmoid", [x], [gate], { alpha: { float: 1 / 6 }, beta: { float: 0.5 } });
    emit.node("Mul", [x, gate], [emit.name(node.outputs[0]!)]);
  },
  // gate + x / 6 where the gate is between its ends.
  gradient(f, dy, x) {
    const gate = f.apply("hard_sigmoid", [x]);
    const between = f.times(f.positive(gate), f.positive(f.complement(gate)));
    return f.times(dy, f.plus(gate, f.times(f.affine(x, 1 / 6), between)));
  },
});
