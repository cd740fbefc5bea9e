import { elementwise } from "./elementwise.js";

export const silu = elementwise({
  name: "silu",
  doc: "x * sigmoid(x), also called swish.",
  lower(node, emit) {
    const x = emit.name(node.inputs[0]!);
    const gate = emit.temporary("gate");
    emit.node("Sigmoid", [x], [gate]);
    emit.node("Mul", [x, gate], [emit.name(node.outputs[0]!)]);
  },
  // s + x s (1 - s) with s the logistic function.
  gradient(f, dy, x) {
    const gate = f.sigmoid(x);
    return f.times(dy, f.plus(gate, f.times(f.times(x, gate), f.complement(gate))));
  },
});
